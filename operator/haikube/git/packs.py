"""Packs on the scratch disk of this process: a cache by app uid, filled from the storage.

A pack never changes, so a file that is here is right. Users of a pack take hard links, so an
eviction never pulls it away from a running git.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from haikube.git.manifest import pack_key
from haikube.storage.port import Storage

SUFFIXES: Final = (".pack", ".idx")
"""The files of a pack, in the order git wants them to appear."""

_CHUNK: Final = 1 << 20


class PackCache:
    """Packs of all apps below ``root``, the least recently used dropped over ``limit`` bytes."""

    def __init__(self, storage: Storage, root: Path, limit: int) -> None:
        self._storage = storage
        self._root = root
        self._limit = limit
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._used: dict[str, int] = {}

    async def link(self, uid: str, packs: Iterable[str], target: Path) -> None:
        """Hard-link the named packs into ``target``, fetching those that are not here."""
        directory = self._root / uid
        async with self._locks[uid]:
            directory.mkdir(parents=True, exist_ok=True)
            for name in (f"{pack}{suffix}" for pack in packs for suffix in SUFFIXES):
                await self._ensure(uid, directory / name)
                _link_once(target / name, directory / name)
            self._touch(uid, directory)
        self._evict()

    async def upload(self, uid: str, directory: Path) -> tuple[str, ...]:
        """Store every pack of a directory that git wrote, and keep it here too."""
        packs = _names(directory)
        own = self._root / uid
        async with self._locks[uid]:
            own.mkdir(parents=True, exist_ok=True)
            for name in (f"{pack}{suffix}" for pack in packs for suffix in SUFFIXES):
                await self._storage.put(pack_key(uid, name), _read(directory / name))
                _link_once(own / name, directory / name)
        return tuple(packs)

    async def remove(self, uid: str, packs: Iterable[str]) -> None:
        """Delete packs that no manifest names, here and in the storage."""
        for name in (f"{pack}{suffix}" for pack in packs for suffix in SUFFIXES):
            (self._root / uid / name).unlink(missing_ok=True)
            await self._storage.delete(pack_key(uid, name))

    async def _ensure(self, uid: str, path: Path) -> None:
        if _exists(path):
            return
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            async for chunk in self._storage.stream(pack_key(uid, path.name)):
                await asyncio.to_thread(file.write, chunk)
        partial.rename(path)

    def _touch(self, uid: str, directory: Path) -> None:
        """Remember the size and put the app last in the order of eviction."""
        self._used.pop(uid, None)
        self._used[uid] = sum(path.stat().st_size for path in directory.iterdir())

    def _evict(self) -> None:
        while len(self._used) > 1 and sum(self._used.values()) > self._limit:
            uid = next(iter(self._used))
            if self._locks[uid].locked():
                return
            del self._used[uid]
            shutil.rmtree(self._root / uid, ignore_errors=True)


def _names(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.glob("pack-*.pack"))


def _exists(path: Path) -> bool:
    return path.exists()


def _link_once(link: Path, target: Path) -> None:
    with suppress(FileExistsError):
        link.hardlink_to(target)


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
