"""Make the tarball that ``haikube deploy DIR`` uploads.

In a git work tree it holds what git would track (so ``.gitignore`` is honoured), submodules with
their files, elsewhere every file but ``.git``. Entries are sorted and carry no owner: the same tree
gives the same bytes.
"""

from __future__ import annotations

import gzip
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click


def write_archive(folder: Path, out: BinaryIO) -> int:
    """Write a ``.tar.gz`` of a folder and return how many files it holds."""
    names = sorted(_names(folder))
    if not names:
        raise click.ClickException(f"{folder} holds no file to deploy.")
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in names:
            tar.add(folder / name, arcname=name, recursive=False, filter=_anonymous)
    return len(names)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (entry.isreg() or entry.issym() or entry.isdir()):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _names(folder: Path) -> Iterator[str]:
    tracked = _git_files(folder)
    if tracked is not None:
        for each in tracked:
            if (folder / each).is_symlink() or (folder / each).is_file():
                yield each
            elif (folder / each / ".git").exists():  # a submodule, a work tree of its own
                yield from (f"{each}/{inner}" for inner in _names(folder / each))
        return
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if ".git" not in name.parts and (path.is_symlink() or path.is_file()):
            yield str(name)


def _git_files(folder: Path) -> list[str] | None:
    """Return what git knows of a folder, or None where git knows nothing."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    if listing.returncode:
        return None
    return [name.decode() for name in listing.stdout.split(b"\0") if name]
