"""CACHE_DIR between builds of one app on one stack.

A cache is a convenience: whatever goes wrong with it, the build goes on with an empty one. It is
uploaded only when a fingerprint of its files has changed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from haikube.build.archive import remove_tree
from haikube.build.deadline import Deadline
from haikube.build.layout import Layout
from haikube.build.packing import PackingError, pack, unpack_trusted
from haikube.build.transcript import Transcript
from haikube.build.transfer import Transfer, TransferError

_LEVEL: Final = 1
_NOT_FOUND: Final = 404
_TAR_OPTIONS: Final = ("--format=posix", "--sort=name", "--numeric-owner")


class BuildCache:
    """The cache of one build."""

    def __init__(
        self, layout: Layout, transfer: Transfer, deadline: Deadline, *, limit: int
    ) -> None:
        self._layout = layout
        self._limit = limit
        self._transfer = transfer
        self._deadline = deadline
        self._restored = ""

    def restore(self, transcript: Transcript) -> None:
        """Fill CACHE_DIR with what the last build left, if anything."""
        url = self._layout.url("cache-get")
        archive = self._layout.spool / "cache.tar.zst"
        try:
            if url is not None:
                self._transfer.fetch(url, archive, limit=self._limit)
                unpack_trusted(archive, self._layout.cache_dir, deadline=self._deadline)
        except TransferError as error:
            if error.status != _NOT_FOUND:
                transcript.warning(f"The build cache is not used: {error}")
        except PackingError as error:
            transcript.warning(f"The build cache is damaged and starts empty: {error}")
            self._clear()
        finally:
            archive.unlink(missing_ok=True)
        self._restored = fingerprint(self._layout.cache_dir)

    def save(self) -> str | None:
        """Upload CACHE_DIR if it changed; returns what went wrong, if anything did."""
        url = self._layout.url("cache-put")
        if url is None or fingerprint(self._layout.cache_dir) == self._restored:
            return None
        archive = self._layout.spool / "cache.tar.zst"
        try:
            packed = pack(
                self._layout.cache_dir,
                archive,
                _TAR_OPTIONS,
                level=_LEVEL,
                deadline=self._deadline,
            )
            if packed.size > self._limit:
                return (
                    f"The build cache has {packed.size} bytes, over its limit of {self._limit}: "
                    "it was not saved, the next build is slower"
                )
            self._transfer.put_file(url, archive)
        except (TransferError, PackingError, OSError) as error:
            return f"The build cache was not saved, the next build is slower: {error}"
        finally:
            archive.unlink(missing_ok=True)
        return None

    def _clear(self) -> None:
        for entry in self._layout.cache_dir.iterdir():
            remove_tree(entry)


def fingerprint(folder: Path) -> str:
    """Return a digest of every file's path, kind, size and time; folders count by name."""
    digest = hashlib.sha256()
    for here, subfolders, files in os.walk(folder):
        subfolders.sort()
        for name in sorted([*subfolders, *files]):
            path = f"{here}/{name}"  # a Path for each would take most of the time
            info = os.lstat(path)
            changing = () if stat.S_ISDIR(info.st_mode) else (info.st_size, info.st_mtime_ns)
            line = (path, info.st_mode, *changing)
            digest.update(repr(line).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
