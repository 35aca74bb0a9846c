"""Pointer files of Git LFS: what a source holds in place of files that nobody sent.

An app would open a few words of text in place of its model or its pictures, so the log names them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from haikube.build.plainfile import read_plain
from haikube.build.transcript import Transcript

_FIRST_LINE: Final = b"version https://git-lfs.github.com/spec/v1\n"
_SMALLEST: Final = len(_FIRST_LINE)
_LARGEST: Final = 1024  # the specification's own limit
_FILTER: Final = b"filter=lfs"
_ATTRIBUTES_LIMIT: Final = 1 << 20
_SHOWN: Final = 10


def warn_of_pointers(root: Path, transcript: Transcript) -> None:
    """Count and name the pointer files of a source, with what to do about them."""
    found = sorted(_pointers(root))
    if not found:
        return
    shown = ", ".join(found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    what = "1 file is a pointer" if len(found) == 1 else f"{len(found)} files are pointers"
    transcript.warning(f"{what} of Git LFS, without its content: {shown}{more}")
    transcript.warning("Git LFS objects are not stored here: fetch them in bin/pre_compile")
    transcript.warning("(or another hook of the buildpack), or keep such files elsewhere.")


def _pointers(root: Path) -> Iterator[str]:
    """Yield the pointers of a tree that says somewhere that it uses LFS; others are not read."""
    small, uses_lfs = [], False
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if name == ".gitattributes":
                uses_lfs = uses_lfs or _FILTER in (read_plain(path, _ATTRIBUTES_LIMIT) or b"")
            elif _SMALLEST <= path.lstat().st_size <= _LARGEST:
                small.append(path)
    if not uses_lfs:
        return
    for path in small:
        if (read_plain(path, _LARGEST) or b"").startswith(_FIRST_LINE):
            yield str(path.relative_to(root))
