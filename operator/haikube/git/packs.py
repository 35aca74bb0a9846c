"""Packs on the scratch disk of this process: a cache by app uid, filled from the storage.

A pack never changes, so a file that is here is right. Users of a pack take hard links, so an
eviction never pulls it away from a running git. Each upload gets a name that no other has or will
have, even of the same bytes: what nobody names today, nobody can name tomorrow, and a deletion
that comes late hits nothing but rubbish.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from haikube.git.manifest import Manifest, is_pack, pack_key, packs_prefix
from haikube.storage.port import Storage

SUFFIXES: Final = (".pack", ".idx")
"""The files of a pack, in the order git wants them to appear."""

_CHUNK: Final = 1 << 20
_MARK: Final = 4


class StoredPack(NamedTuple):
    """What is known of a pack in the storage: its bytes, and when it was put there, since 1970."""

    size: int
    modified: float


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
            for pack in packs:
                for suffix in SUFFIXES:
                    await self._ensure(uid, directory / f"{pack}{suffix}")
                    _link_once(target / f"{own_name(pack)}{suffix}", directory / f"{pack}{suffix}")
            self._touch(uid, directory)
        self._evict()

    async def upload(
        self, uid: str, directory: Path, known: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Store every pack of a directory that git wrote but those ``known``; keep them here."""
        stored = []
        for name in fresh_packs(directory, known):
            stored.append(f"{name}.{secrets.token_hex(_MARK)}")
            await self._upload_one(uid, directory / name, stored[-1])
        return tuple(stored)

    async def _upload_one(self, uid: str, source: Path, pack: str) -> None:
        own = self._root / uid
        async with self._locks[uid]:
            own.mkdir(parents=True, exist_ok=True)
            for suffix in SUFFIXES:
                file = source.with_name(f"{source.name}{suffix}")
                await self._storage.put(pack_key(uid, f"{pack}{suffix}"), _read(file))
                _link_once(own / f"{pack}{suffix}", file)

    async def remove(self, uid: str, packs: Iterable[str]) -> None:
        """Delete packs that nothing names or will name, here and in the storage."""
        for name in (f"{pack}{suffix}" for pack in packs for suffix in SUFFIXES):
            (self._root / uid / name).unlink(missing_ok=True)
            await self._storage.delete(pack_key(uid, name))

    async def stored(self, uid: str) -> dict[str, StoredPack]:
        """Return every pack in the storage."""
        found: dict[str, StoredPack] = {}
        async for item in self._storage.list(packs_prefix(uid)):
            file = PurePosixPath(item.key)
            if file.suffix in SUFFIXES and is_pack(file.stem):
                before = found.get(file.stem, StoredPack(0, 0.0))
                modified = max(before.modified, item.modified.timestamp())
                found[file.stem] = StoredPack(before.size + item.size, modified)
        return found

    async def _ensure(self, uid: str, path: Path) -> None:
        if _exists(path):
            return
        partial = path.with_name(f"{path.name}.partial")
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


def own_name(pack: str) -> str:
    """Return git's name of a stored pack, without the mark of its upload."""
    return pack.partition(".")[0]


def fresh_packs(directory: Path, known: Collection[str]) -> list[str]:
    """Return git's names of the packs in a directory that are not ``known`` as stored."""
    had = {own_name(pack) for pack in known}
    return [name for name in _names(directory) if name not in had]


def rubbish(stored: dict[str, StoredPack], manifest: Manifest, oldest: float) -> list[str]:
    """Return packs that nothing names, and that nobody has named or stored since ``oldest``."""
    pending = manifest.lock.pending if manifest.lock else None
    named = {*manifest.packs, *(pending.packs if pending else ())}
    return sorted(
        pack
        for pack, found in stored.items()
        if pack not in named and max(found.modified, manifest.retired.get(pack, 0)) < oldest
    )


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
