"""The tarball of ``haikube deploy`` holds what the person means, in the same bytes each time."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import click
import pytest

from haikube.cli.archive import write_archive


def names_in(folder: Path) -> list[str]:
    out = io.BytesIO()
    write_archive(folder, out)
    out.seek(0)
    with tarfile.open(fileobj=out) as tar:
        return tar.getnames()


def test_every_file_of_a_plain_folder_but_its_git_directory(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.py").write_text("a")
    (tmp_path / "Procfile").write_text("web: x")
    (tmp_path / ".env").write_text("kept: dot files are part of an app")
    (tmp_path / "lib" / ".git").mkdir()
    (tmp_path / "lib" / ".git" / "HEAD").write_text("x")

    assert names_in(tmp_path) == [".env", "Procfile", "lib/a.py"]


def test_a_git_work_tree_honours_its_gitignore_and_takes_untracked_files(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("node_modules/\n")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.js").write_text("x")
    (tmp_path / "app.js").write_text("new, not yet added")

    assert names_in(tmp_path) == [".gitignore", "app.js"]


def test_submodules_come_with_their_files(tmp_path: Path) -> None:
    for folder, name in ((tmp_path, "app.py"), (tmp_path / "vendor" / "lib", "lib.py")):
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        (folder / name).write_text("x")
    (tmp_path / "empty").mkdir()
    link = "160000," + "1" * 40
    for path in ("vendor/lib", "empty"):
        what = ["git", "update-index", "--add", "--cacheinfo", f"{link},{path}"]
        subprocess.run(what, cwd=tmp_path, check=True)

    assert names_in(tmp_path) == ["app.py", "vendor/lib/lib.py"]


def test_a_deleted_but_tracked_file_is_left_out(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("kept", "gone"):
        (tmp_path / name).write_text(name)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    (tmp_path / "gone").unlink()

    assert names_in(tmp_path) == ["kept"]


def test_the_same_tree_gives_the_same_bytes_whoever_owns_it(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("#!/bin/sh")
    (tmp_path / "run").chmod(0o755)
    os.utime(tmp_path / "run", (1, 1))
    first, second = io.BytesIO(), io.BytesIO()
    write_archive(tmp_path, first)
    write_archive(tmp_path, second)

    assert first.getvalue() == second.getvalue()
    first.seek(0)
    with tarfile.open(fileobj=first) as tar:
        entry = tar.getmember("run")
    assert (entry.mode & 0o111, entry.uid, entry.uname) == (0o111, 0, "")


def test_symlinks_travel_as_symlinks_and_fifos_stay_behind(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")

    assert names_in(tmp_path) == ["link"]


def test_an_empty_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match=f"{tmp_path} holds no file"):
        write_archive(tmp_path, io.BytesIO())
