"""The pushed commit as a source archive: looked at, packed and stored while it streams.

Nothing is checked out and no file of the app is opened: git reads its own objects.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from haikube.git.command import PACKED, Git
from haikube.git.refusal import Refused
from haikube.git.snapshot import Snapshot
from haikube.storage.port import Storage

_MOST_FILES: Final = 500_000
_SUBMODULE: Final = b"160000"
_MOST_SUBMODULES: Final = 100
_NOTE: Final = ".git/haikube-submodules"
"""Read by ``haikube.build.source``; no commit can hold a file of that name."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What a commit holds: number of files, and lines ``<commit> <path>`` for its submodules."""

    files: int
    submodules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Archive:
    """A stored source archive, as ``Build.spec.source.archive`` names it."""

    key: str
    digest: str
    size: int


class Source:
    """Reads commits of one snapshot."""

    def __init__(self, git: Git, snapshot: Snapshot) -> None:
        self._git = git
        self._directory = f"--git-dir={snapshot.path}"

    async def inspect(self, commit: str) -> Tree:
        """Count files and find submodules; a tree that grows without end is refused."""
        files, submodules, rest = 0, [], b""
        listing = self._git.output(self._directory, "ls-tree", "-r", "-z", "--full-tree", commit)
        async with aclosing(listing):
            async for chunk in listing:
                *entries, rest = (rest + chunk).split(b"\0")
                files += len(entries)
                submodules += [_link(entry) for entry in entries if entry.startswith(_SUBMODULE)]
                if files > _MOST_FILES:
                    raise Refused(
                        f"The commit has more than {_MOST_FILES:,} files",
                        "Remove generated files from the repository and push again",
                    )
        if len(submodules) > _MOST_SUBMODULES:
            raise Refused(
                f"The commit has {len(submodules)} submodules, at most {_MOST_SUBMODULES} may be",
                "Commit their files instead, or have the buildpack fetch them",
            )
        return Tree(files, tuple(submodules))

    async def store(
        self, commit: str, tree: Tree, storage: Storage, key: str, limit: int
    ) -> Archive:
        """Pack the commit as ``.tar.zst`` into the storage and return what it became."""
        tally = _Tally(limit)
        note = "\n".join(tree.submodules)
        noted = [f"--add-virtual-file={_NOTE}:{note}"] if note else []
        packed = self._git.output(self._directory, "archive", f"--format={PACKED}", *noted, commit)
        await storage.put(key, tally.count(packed))
        return Archive(key, f"sha256:{tally.digest.hexdigest()}", tally.size)


def _link(entry: bytes) -> str:
    """Return the line of a submodule, ``160000 commit <commit>`` and its path in a listing."""
    kind, _, path = entry.partition(b"\t")
    return f"{kind.rpartition(b' ')[2].decode()} {path.decode('utf-8', 'replace')}"


class _Tally:
    """Digest and size of a stream that passes through, refused over ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self._limit = limit

    async def count(self, data: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in data:
            self.digest.update(chunk)
            self.size += len(chunk)
            if self.size > self._limit:
                raise Refused(
                    f"The packed source is larger than {self._limit:,} bytes",
                    "Remove large files from the repository, or ask the platform's operators",
                    "to raise HAIKUBE_SOURCE_LIMIT",
                )
            yield chunk
