"""Unpacks a tar archive of a stranger into an empty folder.

Every member is judged by our own rules before anything of it reaches the disk; the filters of
``tarfile`` are not relied upon. Links are made last, so no member can be written through one.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

from haikube.build import tree
from haikube.build.child import started
from haikube.build.environment import ENGINE_ENV
from haikube.build.failure import BuildFailure, Reason

MAX_ENTRIES: Final = 500_000
EXPANSION: Final = 8
"""An archive may unpack to this many times its own limit."""

_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 20
_DIRECTORY_MODE = 0o755
_OWNER_WRITE = 0o600
_PERMISSIONS = 0o777
_NAME_SHOWN = 200


@dataclass(slots=True)
class _Unpacking:
    """One archive on its way to disk."""

    root: Path
    limit: int
    size: int = 0
    entries: int = 0
    files: set[tree.Path] = field(default_factory=set)
    links: dict[tree.Path, str] = field(default_factory=dict)


def unpack(archive: Path, root: Path, *, limit: int) -> None:
    """Unpack ``archive`` below ``root``, at most ``limit`` bytes of files."""
    work = _Unpacking(root, limit)
    with _opened(archive) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|*", errorlevel=2) as tar:
                for member in tar:
                    _take(work, tar, member)
        except (tarfile.TarError, EOFError, ValueError, ArithmeticError) as error:
            raise _invalid(f"The source is not a readable tar archive: {error}") from error
    _make_links(work)


def lift_single_folder(root: Path) -> None:
    """If all content lies in one folder, as in archives of code hosts, make it the root."""
    entries = list(root.iterdir())
    if len(entries) != 1 or entries[0].is_symlink() or not entries[0].is_dir():
        return
    lifted = root.with_name(root.name + ".lifted")
    entries[0].rename(lifted)
    root.rmdir()
    lifted.rename(root)


@contextmanager
def _opened(archive: Path) -> Iterator[BinaryIO]:
    with archive.open("rb") as file:
        magic = file.read(len(_ZSTD_MAGIC))
        file.seek(0)
        if magic != _ZSTD_MAGIC:
            yield file
            return
        os.lseek(file.fileno(), 0, os.SEEK_SET)  # the child does not see what we buffered
        quiet = subprocess.DEVNULL
        with started(["zstd", "-dc"], env=ENGINE_ENV, stdin=file, stderr=quiet) as process:
            # tarfile takes a short read, as pipes give them, for the end.
            yield io.BufferedReader(cast("io.RawIOBase", process.stdout))


def _take(work: _Unpacking, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    work.entries += 1
    if work.entries > MAX_ENTRIES:
        raise BuildFailure(
            Reason.SOURCE_TOO_LARGE, f"The source has more than {MAX_ENTRIES} files; leave some out"
        )
    try:
        path = tree.member_path(member.name)
        _check_parents(work, path)
        if path:
            _write(work, tar, member, path)
    except tree.BadPath as error:
        raise _refused(member.name, str(error)) from error
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise _refused(member.name, "it is a file in one place and a folder in another") from error


def _check_parents(work: _Unpacking, path: tree.Path) -> None:
    for end in range(1, len(path)):
        if path[:end] in work.links:
            raise tree.BadPath("it lies behind a link")


def _write(
    work: _Unpacking, tar: tarfile.TarFile, member: tarfile.TarInfo, path: tree.Path
) -> None:
    target = work.root.joinpath(*path)
    if member.isdir():
        target.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    elif member.isreg():
        work.links.pop(path, None)
        _write_file(work, tar, member, target)
        work.files.add(path)
    elif member.issym():
        work.links[path] = member.linkname
    elif member.islnk():
        _write_hard_link(work, member, target)
        work.files.add(path)
    else:
        raise tree.BadPath("it is a device, a pipe or of another kind that is no file")


def _write_file(
    work: _Unpacking, tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path
) -> None:
    target.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    mode = (member.mode & _PERMISSIONS) | _OWNER_WRITE
    source = tar.extractfile(member)
    with os.fdopen(os.open(target, flags, mode), "wb") as file:
        while source and (chunk := source.read(_CHUNK)):
            work.size += len(chunk)
            if work.size > work.limit:
                raise BuildFailure(
                    Reason.SOURCE_TOO_LARGE,
                    f"The source unpacks to more than {work.limit} bytes; leave large files out "
                    "of the repository",
                )
            file.write(chunk)
        os.fchmod(file.fileno(), mode)
    os.utime(target, (member.mtime, member.mtime))


def _write_hard_link(work: _Unpacking, member: tarfile.TarInfo, target: Path) -> None:
    original = tree.member_path(member.linkname)
    if original not in work.files:
        raise tree.BadPath("it is a hard link to a file that the source does not hold")
    target.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    os.link(work.root.joinpath(*original), target, follow_symlinks=False)


def _make_links(work: _Unpacking) -> None:
    for path, why in tree.bad_links(work.links):
        raise _refused("/".join(path), why)
    for path, text in work.links.items():
        link = work.root.joinpath(*path)
        if link.is_dir() and not link.is_symlink():
            raise _refused("/".join(path), "it is a link in one place and a folder in another")
        link.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(text)


def remove_tree(path: Path) -> None:
    """Remove a file, link or folder; one that is not there is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _refused(name: str, why: str) -> BuildFailure:
    return _invalid(f"The source holds {name[:_NAME_SHOWN]!r}, which is refused: {why}")


def _invalid(message: str) -> BuildFailure:
    return BuildFailure(Reason.SOURCE_INVALID, message)
