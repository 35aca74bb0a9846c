"""Many small packs become one: after a push, when the manifest names more than a few.

It takes no lock: whoever changes the manifest meanwhile wins, and the new pack is thrown away.
A replica that reads packs which just went away reads the manifest again.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from haikube.git.command import Git, GitError
from haikube.git.manifest import Manifests
from haikube.git.packs import PackCache
from haikube.git.snapshot import Snapshot, Snapshots
from haikube.storage.port import Changed, StorageError

MOST_PACKS: Final = 50

_log = structlog.get_logger(__name__)


class Consolidation:
    """Repacks repositories; failures are logged and left for the next push."""

    def __init__(
        self, git: Git, manifests: Manifests, packs: PackCache, snapshots: Snapshots, most: int
    ) -> None:
        self._git = git
        self._manifests = manifests
        self._packs = packs
        self._snapshots = snapshots
        self._most = most

    async def run(self, uid: str) -> None:
        """Repack one repository if it has too many packs."""
        try:
            manifest, etag = await self._manifests.load(uid)
            if len(manifest.packs) <= self._most or manifest.lock is not None:
                return
            async with self._snapshots.open(uid) as snapshot:
                if snapshot.manifest == manifest:
                    await self._repack(uid, snapshot, etag)
        except (StorageError, GitError) as error:
            _log.warning("repack failed", app_uid=uid, error=str(error))

    async def _repack(self, uid: str, snapshot: Snapshot, etag: str | None) -> None:
        with tempfile.TemporaryDirectory(dir=snapshot.path) as directory:
            target = Path(directory) / "pack"
            await self._git.run(
                f"--git-dir={snapshot.path}",
                "pack-objects",
                "--all",
                "--quiet",
                "--delta-base-offset",
                str(target),
            )
            fresh = await self._packs.upload(uid, Path(directory))
        old = snapshot.manifest.packs
        try:
            merged = replace(snapshot.manifest, packs=fresh)
            await self._manifests.swap(uid, merged, etag)
        except Changed:
            await self._packs.remove(uid, [pack for pack in fresh if pack not in old])
            return
        with suppress(StorageError):
            await self._packs.remove(uid, [pack for pack in old if pack not in fresh])
        _log.info("repacked", app_uid=uid, packs=len(old))
