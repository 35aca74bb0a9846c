"""One push at a time per app, by a lock inside the manifest.

The holder moves ``beat`` while it lives. A waiter that sees the same beat for a whole term by its
own clock takes over, so clocks of different machines are never compared.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic

from haikube.git.manifest import Lock, Manifest, Manifests
from haikube.git.refusal import Refused
from haikube.storage.port import Changed, StorageError


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the lock is looked at and renewed, and when it counts as abandoned; seconds."""

    look: float = 1.0
    renew: float = 8.0
    term: float = 30.0


class PushLock:
    """The right to move an app's refs, from ``acquire`` to ``finish`` or ``release``."""

    def __init__(self, manifests: Manifests, uid: str, author: str, pace: Pace) -> None:
        self._manifests = manifests
        self._uid = uid
        self._mine = Lock(secrets.token_hex(8), author)
        self._pace = pace
        self._renewal: asyncio.Task[None] | None = None

    async def acquire(self, waiting: Callable[[Lock], Awaitable[None]]) -> Manifest:
        """Wait for the lock; ``waiting`` is called once when somebody else holds it."""
        seen: Lock | None = None
        since = monotonic()
        told = False
        while True:
            manifest, etag = await self._manifests.load(self._uid)
            if manifest.lock != seen:
                seen, since = manifest.lock, monotonic()
            if seen is None or monotonic() - since > self._pace.term:
                if await self._take(manifest, etag):
                    return manifest
                continue
            if not told:
                told = True
                await waiting(seen)
            await asyncio.sleep(self._pace.look)

    async def _take(self, manifest: Manifest, etag: str | None) -> bool:
        try:
            await self._manifests.swap(self._uid, replace(manifest, lock=self._mine), etag)
        except Changed:
            current, _ = await self._manifests.load(self._uid)
            if current.lock is None or current.lock.id != self._mine.id:
                return False  # somebody else was quicker
        self._renewal = asyncio.create_task(self._renew())
        return True

    async def _renew(self) -> None:
        """Move the beat until cancelled; a storage that is away is tried again."""
        while True:
            await asyncio.sleep(self._pace.renew)
            with suppress(StorageError):
                manifest, etag = await self._manifests.load(self._uid)
                if manifest.lock is None or manifest.lock.id != self._mine.id:
                    return
                beat = replace(manifest.lock, beat=manifest.lock.beat + 1)
                await self._manifests.swap(self._uid, replace(manifest, lock=beat), etag)

    async def finish(self, refs: Mapping[str, str], packs: tuple[str, ...]) -> None:
        """Move refs, add packs and give the lock back in one write."""
        await self._stop_renewal()
        while True:
            manifest, etag = await self._manifests.load(self._uid)
            if manifest.lock is None or manifest.lock.id != self._mine.id:
                if refs.items() <= manifest.refs.items():
                    return  # our own write, whose answer was lost
                raise Refused(
                    "Another push took over while this one was held up",
                    "Fetch, then push again",
                )
            with suppress(Changed):
                moved = replace(manifest.advance(refs, packs), lock=None)
                await self._manifests.swap(self._uid, moved, etag)
                return

    async def release(self) -> bool:
        """Give the lock back without a change; returns whether it was still ours."""
        await self._stop_renewal()
        for _ in range(3):
            manifest, etag = await self._manifests.load(self._uid)
            if manifest.lock is None or manifest.lock.id != self._mine.id:
                return False
            with suppress(Changed):
                await self._manifests.swap(self._uid, replace(manifest, lock=None), etag)
                return True
        return False

    async def _stop_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])
            self._renewal = None
