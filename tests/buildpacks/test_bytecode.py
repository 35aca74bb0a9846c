"""Bytecode of the standard library: borrowed where it fits, and never where it does not."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from buildpacks.shell import Shell

OLD, NEW = 1_600_000_000, 1_700_000_000
MARK = b"borrowed"
"""At the end of bytecode: nobody minds it, and who compiles anew writes none."""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, "python")


def library(folder: Path, **sources: tuple[str, int]) -> Path:
    """Write modules, each with the time of its source."""
    for name, (text, time) in sources.items():
        path = folder / name.replace("__", "/")
        path = path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (time, time))
    return folder


def compiled(folder: Path) -> Path:
    """Compile modules as an image has them, and mark what came out."""
    for source in folder.rglob("*.py"):
        with Path(py_compile.compile(str(source), doraise=True)).open("ab") as file:
            file.write(MARK)
    return folder


def borrow(shell: Shell, mine: Path, own: Path) -> str:
    call = f'borrow_bytecode "{sys.executable}" "{mine}" "{own}"'
    return shell.run(f"if {call}; then echo borrowed; else echo nothing; fi", "runtime")


def borrowed(folder: Path, name: str) -> bool:
    return Path(importlib.util.cache_from_source(str(folder / name))).read_bytes().endswith(MARK)


def test_only_what_fits_is_borrowed(shell: Shell, tmp_path: Path) -> None:
    same = ("A = 1\n", OLD)
    own = compiled(
        library(
            tmp_path / "own",
            same=same,
            package__same=same,
            newer=("A = 1\n", OLD),
            gone=same,
        )
    )
    mine = library(
        tmp_path / "mine",
        same=same,
        package__same=same,
        newer=("A = 2\n", NEW),
        alone=same,
    )

    assert "borrowed\n" in borrow(shell, mine, own)
    subprocess.run([sys.executable, "-m", "compileall", "-q", mine], check=True)

    assert borrowed(mine, "same.py")
    assert borrowed(mine, "package/same.py")
    assert not borrowed(mine, "newer.py")
    assert not borrowed(mine, "alone.py")
    assert not list(mine.rglob("gone*"))


def test_without_anything_to_borrow_all_is_compiled(shell: Shell, tmp_path: Path) -> None:
    mine = library(tmp_path / "mine", same=("A = 1\n", OLD))
    assert "nothing\n" in borrow(shell, mine, tmp_path / "no-such-folder")
    assert not list(mine.rglob("*.pyc"))
