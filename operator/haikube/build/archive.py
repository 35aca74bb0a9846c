"""Unpacks a tar archive of a stranger into an empty folder.

Every member is judged by our own rules before anything of it reaches the disk; the filters of
``tarfile`` are not relied upon. Links are made last, so no member can be written through one.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, cast

from haikube.build import tree
from haikube.build.failure import BuildFailure, Reason
from haikube.build.packed import CHUNK, ForwardStream, unpacking

MAX_ENTRIES: Final = 500_000
EXPANSION: Final = 8
"""An archive may unpack to this many times its own limit."""

_BROKEN: Final = (EOFError, ValueError, ArithmeticError, LookupError, RecursionError)
"""What ``tarfile`` raises, beside its own errors, where somebody made up a header."""

_DIRECTORY_MODE = 0o755
_OWNER_WRITE = 0o600
_PERMISSIONS = 0o777
_NAME_SHOWN = 200


class _Tar(tarfile.TarFile):
    members: list[tarfile.TarInfo]  # those it has read, which its stubs leave out


@dataclass(slots=True)
class _Unpacking:
    """One archive on its way to disk."""

    root: str
    limit: int
    size: int = 0
    entries: int = 0
    files: set[tree.Path] = field(default_factory=set)
    links: dict[tree.Path, str] = field(default_factory=dict)


def unpack(archive: Path, root: Path, *, limit: int) -> Mapping[tree.Path, str]:
    """Unpack ``archive`` below ``root``, at most ``limit`` bytes of files.

    Returns the links that were left out, with the reason.
    """
    work = _Unpacking(str(root), limit)
    with unpacking(archive) as stream:
        try:
            for member, content in _members(stream):
                _take(work, member, content)
        except (tarfile.TarError, *_BROKEN) as error:
            raise _invalid(f"The source is not a readable tar archive: {error}") from error
    return _make_links(work)


def _members(stream: ForwardStream) -> Iterator[tuple[tarfile.TarInfo, Iterable[bytes]]]:
    """Yield each member with its content, which is gone when the next one is asked for."""
    tar = _Tar(fileobj=cast("IO[bytes]", stream))
    for member in iter(tar.next, None):
        tar.members.clear()  # nobody goes back to them, and there may be half a million
        if member.issparse():
            yield member, _with_holes(tar, member)
        else:
            yield member, _content(stream, member)


def _content(stream: ForwardStream, member: tarfile.TarInfo) -> Iterator[bytes]:
    stream.seek(member.offset_data)
    left = member.size
    while left:
        chunk = stream.read(min(left, CHUNK))
        if not chunk:
            raise tarfile.ReadError("unexpected end of data")
        left -= len(chunk)
        yield chunk


def _with_holes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = tar.extractfile(member)
    while file and (chunk := file.read(CHUNK)):
        yield chunk


def lift_single_folder(root: Path) -> None:
    """If all content lies in one folder, as in archives of code hosts, make it the root."""
    entries = list(root.iterdir())
    if len(entries) != 1 or entries[0].is_symlink() or not entries[0].is_dir():
        return
    lifted = root.with_name(root.name + ".lifted")
    entries[0].rename(lifted)
    root.rmdir()
    lifted.rename(root)


def _take(work: _Unpacking, member: tarfile.TarInfo, content: Iterable[bytes]) -> None:
    work.entries += 1
    if work.entries > MAX_ENTRIES:
        raise BuildFailure(
            Reason.SOURCE_TOO_LARGE, f"The source has more than {MAX_ENTRIES} files; leave some out"
        )
    try:
        path = tree.member_path(member.name)
        _check_parents(work, path)
        if path:
            _write(work, member, content, path)
    except tree.BadPath as error:
        raise _refused(member.name, str(error)) from error
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise _refused(member.name, "it is a file in one place and a folder in another") from error


def _check_parents(work: _Unpacking, path: tree.Path) -> None:
    if work.links and any(path[:end] in work.links for end in range(1, len(path))):
        raise tree.BadPath("it lies behind a link")


def _write(
    work: _Unpacking, member: tarfile.TarInfo, content: Iterable[bytes], path: tree.Path
) -> None:
    target = "/".join((work.root, *path))  # a Path would take as long as making the file
    if member.isdir():
        _make_folder(Path(target))
    elif member.isreg():
        work.links.pop(path, None)
        _write_file(work, member, content, target)
        work.files.add(path)
    elif member.issym():
        work.links[path] = member.linkname
    elif member.islnk():
        _write_hard_link(work, member, path)
        work.files.add(path)
    else:
        raise tree.BadPath("it is a device, a pipe or of another kind that is no file")


def _write_file(
    work: _Unpacking, member: tarfile.TarInfo, content: Iterable[bytes], target: str
) -> None:
    mode = (member.mode & _PERMISSIONS) | _OWNER_WRITE
    handle = _new_file(target, mode)
    try:
        for chunk in content:
            work.size += len(chunk)
            if work.size > work.limit:
                raise BuildFailure(
                    Reason.SOURCE_TOO_LARGE,
                    f"The source unpacks to more than {work.limit} bytes; leave large files out "
                    "of the repository",
                )
            _write_all(handle, chunk)
        os.fchmod(handle, mode)
        os.utime(handle, (member.mtime, member.mtime))
    finally:
        os.close(handle)


def _new_file(target: str, mode: int) -> int:
    """Create a file; nearly always its folder is there and nothing of its name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(target, flags, mode)
    except FileNotFoundError:
        _make_folder(Path(target).parent)
    except FileExistsError:
        Path(target).unlink()
    return os.open(target, flags, mode)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _make_folder(target: Path) -> None:
    target.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)


def _write_hard_link(work: _Unpacking, member: tarfile.TarInfo, path: tree.Path) -> None:
    original = tree.member_path(member.linkname)
    if original not in work.files:
        raise tree.BadPath("it is a hard link to a file that the source does not hold")
    if original == path:
        return
    target = Path(work.root, *path)
    _make_folder(target.parent)
    target.unlink(missing_ok=True)
    os.link(Path(work.root, *original), target, follow_symlinks=False)


def _make_links(work: _Unpacking) -> Mapping[tree.Path, str]:
    try:
        kept, left = tree.parted(work.links)
    except tree.BadPath as error:
        raise _invalid(f"The source is refused: {error}") from error
    for path, text in kept.items():
        try:
            _make_link(Path(work.root, *path), text)
        except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            why = "it is a link in one place and a file or folder in another"
            raise _refused("/".join(path), why) from error
    return left


def _make_link(link: Path, text: str) -> None:
    _make_folder(link.parent)
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
