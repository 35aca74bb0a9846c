"""One push at a time per app, by a lock inside the manifest.

The holder moves ``beat`` while it lives. A waiter that sees the same beat for a whole term by its
own clock takes over, so clocks of different machines are never compared. A holder that died while
its build ran has left behind what it waited for; whoever takes over brings that to its end first.
A holder that was only held up finds another name in the lock and can change nothing any more.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
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
"""Tells whether the build of a dead push succeeded; None while that is open.

After False nobody can make that build any more.
"""

Change = Callable[[Manifest], Manifest]


class PushLock:
    """The right to change an app's manifest, until ``finish``, ``release`` or ``leave``."""

    def __init__(
        self, manifests: Manifests, uid: str, author: str, *, pace: Pace, settle: Settle
    ) -> None:
        self._manifests = manifests
        self._uid = uid
        self._mine = Lock(secrets.token_hex(8), author)
        self._pace = pace
        self._settle = settle
        self._renewal: asyncio.Task[None] | None = None
        self.announced = False

    @property
    def id(self) -> str:
        """Return what this holder is called in the manifest."""
        return self._mine.id

    async def acquire(self, waiting: Callable[[Lock], Awaitable[None]]) -> Manifest:
        """Wait for the lock; ``waiting`` is called once when somebody else holds it."""
        seen: Lock | None = None
        since = monotonic()
        told = False
        while True:
            manifest, etag = await self._manifests.load(self._uid)
            if manifest.lock != seen:
                seen, since = manifest.lock, monotonic()
            if seen is None or seen.left or monotonic() - since > self._pace.term:
                settled = await settle(manifest, self._settle)
                if settled is not None and await self._take(settled, etag):
                    return settled
                if settled is not None:
                    continue
            if seen is not None and not told:
                told = True
                await waiting(seen)
            await asyncio.sleep(self._pace.look)

    async def acquire_free(self) -> Manifest | None:
        """Take the lock if nobody holds it; what a dead holder left is none of our business."""
        manifest, etag = await self._manifests.load(self._uid)
        if manifest.lock is not None or not await self._take(manifest, etag):
            return None
        return manifest

    async def announce(self, pending: Pending) -> None:
        """Write down what this push waits for; from here on the build decides about the refs."""
        if not await self._change(lambda held: _with_lock(held, pending=pending)):
            raise _taken_over()
        self.announced = True

    async def finish(self, change: Change) -> None:
        """Change the manifest and give the lock back in one write.

        Where somebody took over, an announced change was theirs to make, before their own.
        """
        if not await self._change(lambda held: change(held).finished(self._mine.id)):
            manifest, _ = await self._manifests.load(self._uid)
            made = self._mine.id in manifest.done  # our own write, whose answer was lost
            if not made and not self.announced:
                raise _taken_over()
        await self._stop_renewal()

    async def release(self) -> bool:
        """Give the lock back without a change; returns whether it was still ours."""
        await self._stop_renewal()  # a lock that cannot be given back has to grow old
        return await self._change(lambda held: replace(held, lock=None))

    async def leave(self) -> None:
        """Let the next push settle what was announced, without waiting for a term."""
        await self._stop_renewal()
        await self._change(lambda held: _with_lock(held, left=True))

    async def _take(self, manifest: Manifest, etag: str | None) -> bool:
        try:
            await self._manifests.swap(self._uid, replace(manifest, lock=self._mine), etag)
        except Changed:
            current, _ = await self._manifests.load(self._uid)
            if current.lock is None or current.lock.id != self._mine.id:
                return False  # somebody else was quicker
        self._renewal = asyncio.create_task(self._renew())
        return True

    async def _change(self, change: Change) -> bool:
        """Swap in what ``change`` returns; False when the lock is not ours any more."""
        while True:
            manifest, etag = await self._manifests.load(self._uid)
            if manifest.lock is None or manifest.lock.id != self._mine.id:
                return False
            with suppress(Changed):
                await self._manifests.swap(self._uid, change(manifest), etag)
                return True

    async def _renew(self) -> None:
        """Move the beat until the lock is lost; a storage that is away is tried again."""
        while True:
            await asyncio.sleep(self._pace.renew)
            with suppress(StorageError):
                if not await self._change(_beaten):
                    return

    async def _stop_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait([self._renewal])
            self._renewal = None


async def settle(manifest: Manifest, outcome: Settle) -> Manifest | None:
    """Return the manifest with an announced change decided; None while its build runs."""
    pending = manifest.lock and manifest.lock.pending
    if not pending:
        return manifest
    succeeded = await outcome(pending)
    if succeeded is None:
        return None
    return manifest.advance(pending.refs, pending.packs) if succeeded else manifest


def _with_lock(
    manifest: Manifest, *, pending: Pending | None = None, left: bool = False
) -> Manifest:
    lock = manifest.lock
    if lock is None:
        return manifest
    return replace(manifest, lock=replace(lock, pending=pending or lock.pending, left=left))


def _beaten(manifest: Manifest) -> Manifest:
    lock = manifest.lock
    return replace(manifest, lock=replace(lock, beat=lock.beat + 1)) if lock else manifest


def _taken_over() -> Refused:
    return Refused("Another push took over while this one was held up", "Fetch, then push again")
