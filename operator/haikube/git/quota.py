"""How much one repository may store: asked before a push is read, and of what it brought.

What counts is what the manifest names. What a repack has replaced waits for its end without
counting, but all of a repository together stays below a multiple of its limit, so that pushing
and rewriting in turn fills no storage either.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from haikube.git.manifest import Manifest
from haikube.git.packs import PackCache, fresh_packs
from haikube.git.refusal import Refused

_ALL: Final = 3
"""How many times its limit a repository may store, with what waits for its end."""

_REWRITES: Final = 2
"""How many times its limit it may store at most where a repack is to make room."""

_COMMANDS: Final = 1 << 20
"""Bytes that a full repository still takes: the names of refs to delete."""


class NoRoom(Refused):
    """The repository would be larger than it may be."""


@dataclass(frozen=True, slots=True)
class Quota:
    """The room of one repository at one moment; all in bytes."""

    limit: int
    named: int
    stored: int

    @property
    def room(self) -> int:
        """Return how much a push may add."""
        return max(0, min(self.limit - self.named, _ALL * self.limit - self.stored))

    @property
    def crowded(self) -> bool:
        """Tell whether what is deleted is worth a repack."""
        return 2 * self.named > self.limit

    @property
    def longest_request(self) -> int:
        """Return how long a push may be that is worth reading: it may only delete."""
        return self.room + _COMMANDS

    @property
    def may_repack(self) -> bool:
        """Tell whether a repack may make room now: what it replaces stays for a while."""
        return self.stored < _REWRITES * self.limit

    def require(self, brought: int) -> None:
        """Raise ``NoRoom`` where so much has no room; nothing always has."""
        if brought and brought > self.room:
            raise self.refusal(f"this push brings {_size(brought)}")

    def refusal(self, push: str) -> NoRoom:
        """Return what a person is told of a push that is described by ``push``."""
        waits = self.stored - self.named
        crowded = self.limit - self.named > self.room
        kept = f" and {_size(waits)} that is replaced and goes within a day" if crowded else ""
        return NoRoom(
            f"The repository may store {_size(self.limit)}: it has {_size(self.named)}{kept}, "
            f"and {push}",
            "Remove large files from the history, and branches and tags that nobody needs:",
            "git push heroku --delete NAME. What they alone held goes within minutes: push again.",
            "Or ask the platform's operators to raise HAIKUBE_GIT_REPOSITORY_LIMIT",
        )


async def measured(packs: PackCache, uid: str, manifest: Manifest, limit: int) -> Quota:
    """Return the quota of a repository as it is stored now."""
    sizes = {name: pack.size for name, pack in (await packs.stored(uid)).items()}
    named = sum(sizes.get(pack, 0) for pack in manifest.packs)
    return Quota(limit, named, sum(sizes.values()))


def brought(directory: Path, known: Collection[str]) -> int:
    """Return the bytes of packs in ``directory`` that are not ``known``."""
    return sum(
        file.stat().st_size
        for name in fresh_packs(directory, known)
        for file in directory.glob(f"{name}.*")
    )


def _size(count: int) -> str:
    for unit, bytes_of_it in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= bytes_of_it:
            return f"{count / bytes_of_it:.1f} {unit}"
    return f"{count} bytes"
