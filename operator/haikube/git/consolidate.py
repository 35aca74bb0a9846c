"""Many small packs become one, and packs that nobody names any more go: after a push.

Repacking holds the push lock, so nothing is pushed onto packs that are about to be replaced. The
packs before stay in the storage for a grace: who still reads them, or has built upon them, finds
them. Only what no manifest has named for that long is deleted.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Final

import structlog

from haikube.git.command import Git, GitError
from haikube.git.lock import Pace, PushLock
from haikube.git.manifest import Manifest, Manifests, Pending
from haikube.git.packs import PackCache, rubbish
from haikube.git.quota import measured
from haikube.git.refusal import Refused
from haikube.git.snapshot import Snapshot, Snapshots
from haikube.storage.port import StorageError

MOST_PACKS: Final = 50
GRACE: Final = 86_400
"""Seconds; longer than any push lasts."""

_log = structlog.get_logger(__name__)


class Consolidation:
    """Tidies repositories up; failures are logged and left for the next push."""

    def __init__(
        self,
        git: Git,
        manifests: Manifests,
        packs: PackCache,
        snapshots: Snapshots,
        *,
        pace: Pace,
        room: int,
    ) -> None:
        self._git = git
        self._manifests = manifests
        self._packs = packs
        self._snapshots = snapshots
        self._pace = pace
        self._room = room
        self._most = MOST_PACKS
        self._grace = GRACE

    async def run(self, uid: str, *, crowded: bool = False) -> None:
        """Repack one repository if it has too many packs, and sweep what it left long ago.

        One that is ``crowded`` is repacked, too, for what its refs do not need any more.
        """
        try:
            manifest, _ = await self._manifests.load(uid)
            if len(manifest.packs) > self._most or (crowded and await self._helps(uid, manifest)):
                await self._repack(uid)
            await self._sweep(uid)
        except (StorageError, GitError, Refused) as error:
            _log.warning("repository not tidied up", app_uid=uid, error=str(error))

    async def _helps(self, uid: str, manifest: Manifest) -> bool:
        return (await measured(self._packs, uid, manifest, self._room)).may_repack

    async def _repack(self, uid: str) -> None:
        """Repack under the lock; a repository that is pushed to is left to that push."""
        author = "the platform, which packs the repository anew,"
        lock = PushLock(self._manifests, uid, author, pace=self._pace, settle=_nothing)
        manifest = await lock.acquire_free()
        if manifest is None:
            return
        try:
            async with self._snapshots.open(uid) as snapshot:
                fresh = await self._pack(uid, snapshot)
            now = int(time.time())
            await lock.finish(lambda held: held.repacked(fresh, now, now - self._grace))
        except BaseException:
            await asyncio.shield(lock.release())
            raise
        _log.info("repacked", app_uid=uid, packs=len(manifest.packs))

    async def _pack(self, uid: str, snapshot: Snapshot) -> tuple[str, ...]:
        """Store all that the refs reach as one pack."""
        with tempfile.TemporaryDirectory(dir=snapshot.path) as directory:
            await self._git.run(
                f"--git-dir={snapshot.path}",
                "pack-objects",
                "--all",
                "--quiet",
                "--delta-base-offset",
                str(Path(directory) / "pack"),
            )
            return await self._packs.upload(uid, Path(directory))

    async def _sweep(self, uid: str) -> None:
        """Delete rubbish; what is stored is listed before what is named, so nothing new goes."""
        stored = await self._packs.stored(uid)
        manifest, _ = await self._manifests.load(uid)
        dead = rubbish(stored, manifest, time.time() - self._grace)
        await self._packs.remove(uid, dead)
        if dead:
            _log.info("swept packs", app_uid=uid, packs=len(dead))


async def _nothing(pending: Pending) -> bool | None:
    """Settle nothing: a lock that is taken only when it is free has nothing pending."""
    del pending
    return None
