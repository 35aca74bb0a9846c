"""One push at a time per app, by a lock inside the manifest.

The holder moves ``beat`` while it lives. A waiter that sees the same beat for a whole term by its
own clock takes over, so clocks of different machines are never compared. A holder that died while
its build ran has left behind what it waited for; whoever takes over brings that to its end first.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic

from haikube.git.manifest import Lock, Manifest, Manifests, Pending
from haikube.git.refusal import Refused
from haikube.storage.port import Changed, StorageError


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the lock is looked at and renewed, and when it counts as abandoned; seconds."""

    look: float = 1.0
    renew: float = 8.0
    term: float = 30.0


Settle = Callable[[Pending], Awaitable[bool | None]]
"""Tells whether the build of a dead push succeeded; None while it runs."""


class PushLock:
    """The right to move an app's refs, from ``acquire`` to ``finish`` or ``release``."""

    def __init__(
        self, manifests: Manifests, uid: str, author: str, *, pace: Pace, settle: Settle
    ) -> None:
        self._manifests = manifests
        self._uid = uid
        self._mine = Lock(secrets.token_hex(8), author)
        self._pace = pace
        self._settle = settle
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
                settled = await self._settled(manifest)
                if settled is not None and await self._take(settled, etag):
                    return settled
                if settled is not None:
                    continue
            if seen is not None and not told:
                told = True
                await waiting(seen)
            await asyncio.sleep(self._pace.look)

    async def _settled(self, manifest: Manifest) -> Manifest | None:
        """Return the manifest with the work of a dead holder done; None while its build runs."""
        pending = manifest.lock and manifest.lock.pending
        if not pending:
            return manifest
        succeeded = await self._settle(pending)
        if succeeded is None:
            return None
        return manifest.advance(pending.refs, pending.packs) if succeeded else manifest

    async def announce(self, pending: Pending) -> None:
        """Write down what this push waits for, should it die."""
        while True:
            manifest, etag = await self._manifests.load(self._uid)
            if manifest.lock is None or manifest.lock.id != self._mine.id:
                raise _taken_over()
            with suppress(Changed):
                lock = replace(manifest.lock, pending=pending)
                await self._manifests.swap(self._uid, replace(manifest, lock=lock), etag)
                return

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
                raise _taken_over()
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


def _taken_over() -> Refused:
    return Refused("Another push took over while this one was held up", "Fetch, then push again")
