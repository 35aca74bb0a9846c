"""Removes bytes of dead apps and releases from the storage; ``plan.sweep`` decides which.

It must never act on a list that is incomplete: any error ends the sweep before a deletion.
``haikube-operator sweep --dry-run`` prints what would go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from haikube.cluster.port import Cluster
from haikube.model.names import STORAGE_AREAS
from haikube.model.resources import APPS, BUILDS, RELEASES
from haikube.plan.sweep import Live, observe_live, plan_sweep
from haikube.storage.port import Storage, Stored

_AT_ONCE: Final = 8

_log = structlog.get_logger(__name__)


class Sweeper:
    """Mark and sweep over one bucket and one cluster."""

    def __init__(
        self,
        cluster: Cluster,
        storage: Storage,
        *,
        grace: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cluster = cluster
        self._storage = storage
        self._grace = grace
        self._now = now

    async def run(self, *, dry_run: bool = False) -> list[Stored]:
        """Remove everything that is dead and return it; with ``dry_run`` only return it."""
        now = self._now()
        stored = [item for area in STORAGE_AREAS async for item in self._storage.list(f"{area}/")]
        dead = plan_sweep(stored, await self._live(), now=now, grace=self._grace)
        if not dry_run:
            await self._remove(dead)
        return dead

    async def sweep_app(self, uid: str) -> list[Stored]:
        """Remove everything of one app that was deleted; an app that lives loses nothing."""
        stored = [
            item for area in STORAGE_AREAS async for item in self._storage.list(f"{area}/{uid}/")
        ]
        apps = (await self._cluster.list(APPS, metadata_only=True)).items
        if uid in {app["metadata"]["uid"] for app in apps}:
            return []
        dead = plan_sweep(stored, observe_live(apps, (), ()), now=self._now(), grace=self._grace)
        await self._remove(dead)
        return dead

    async def _live(self) -> Live:
        """Read the cluster afresh: builds first, so that what ends meanwhile has its release."""
        listings = [await self._cluster.list(kind) for kind in (BUILDS, RELEASES, APPS)]
        builds, releases, apps = (listing.items for listing in listings)
        return observe_live(apps, builds, releases)

    async def _remove(self, dead: list[Stored]) -> None:
        for start in range(0, len(dead), _AT_ONCE):
            part = dead[start : start + _AT_ONCE]
            await asyncio.gather(*(self._storage.delete(item.key) for item in part))
        if dead:
            size = sum(item.size for item in dead)
            _log.info("swept the storage", objects=len(dead), bytes=size)
