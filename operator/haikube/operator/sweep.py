"""Removes bytes of dead apps, releases and runtimes from the storage; ``plan.sweep`` decides which.

It must never act on a list that is incomplete, nor in a bucket that is another cluster's: any error
ends the sweep before a deletion. ``haikube-operator sweep --dry-run`` prints what would go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import structlog

from haikube.cluster.port import Cluster
from haikube.model.names import ALL_AREAS, RUNTIMES
from haikube.model.resources import APPS, BUILDS, RELEASES, STACKS
from haikube.model.times import format_time
from haikube.operator.claim import Claim, cluster_id, read_claim, write_claim
from haikube.plan.sweep import Live, Mercy, Sweep, observe_live, plan_sweep
from haikube.settings import Settings
from haikube.storage.port import Storage, StorageError, Stored

_AT_ONCE: Final = 8

_log = structlog.get_logger(__name__)


class NotOurs(StorageError):
    """The bucket belongs to another cluster; the message says how to take it over."""


def mercy(settings: Settings) -> Mercy:
    """Return how long the unused stays."""
    return Mercy(
        upload=settings.sweep_grace,
        history=settings.sweep_history_grace,
        app=settings.sweep_app_grace,
        share=settings.sweep_share,
    )


class Sweeper:
    """Mark and sweep over one bucket and one cluster."""

    def __init__(
        self,
        cluster: Cluster,
        storage: Storage,
        *,
        mercy: Mercy,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._cluster = cluster
        self._storage = storage
        self._mercy = mercy
        self._now = now

    async def run(self, *, dry_run: bool = False) -> Sweep:
        """Remove everything that is dead and return it; with ``dry_run`` only return it."""
        now = self._now()
        stored = [item for area in ALL_AREAS async for item in self._storage.list(f"{area}/")]
        claim, live = await read_claim(self._storage), await self._live()
        claim = replace(claim, cluster=await self._owner(claim, stored, live))
        found = plan_sweep(stored, live, claim.seen, now=now, mercy=self._mercy)
        if not dry_run:
            await write_claim(self._storage, replace(claim, seen=found.seen))
            await self._remove(found)
        return found

    async def note_deleted(self, uid: str) -> None:
        """Remember that an app has gone, so that its days are counted from now."""
        claim = await read_claim(self._storage)
        if claim.cluster == await cluster_id(self._cluster):
            seen = {**claim.seen, uid: format_time(self._now())}
            await write_claim(self._storage, replace(claim, seen=seen))

    async def claim(self) -> str:
        """Take the bucket over for this cluster and return its id; all days count anew."""
        known = await read_claim(self._storage)
        mine = await cluster_id(self._cluster)
        await write_claim(self._storage, Claim(mine, {}, known.etag))
        return mine

    async def _owner(self, claim: Claim, stored: list[Stored], live: Live) -> str:
        """Return our own id if the bucket is ours; an unclaimed one is if we know what is in it."""
        mine = await cluster_id(self._cluster)
        found = {_whose(item.key) for item in stored}
        known = live.apps | live.keys
        if claim.cluster == mine or (not claim.cluster and (not found or found & known)):
            return mine
        whose = (
            f"is claimed by cluster {claim.cluster}" if claim.cluster else "holds no app of ours"
        )
        raise NotOurs(
            f"the bucket {whose}, this is cluster {mine}: nothing is removed. If no other cluster "
            "uses it, run haikube-operator claim"
        )

    async def _live(self) -> Live:
        """Read the cluster afresh: builds first, so that what ends meanwhile has its release."""
        kinds = (BUILDS, RELEASES, APPS, STACKS)
        listings = [await self._cluster.list(kind) for kind in kinds]
        builds, releases, apps, stacks = (listing.items for listing in listings)
        return observe_live(apps, builds, releases, stacks)

    async def _remove(self, found: Sweep) -> None:
        for start in range(0, len(found.dead), _AT_ONCE):
            part = found.dead[start : start + _AT_ONCE]
            await asyncio.gather(*(self._storage.delete(item.key) for item in part))
        if found.dead or found.waiting:
            size = sum(item.size for item in found.dead)
            _log.info(
                "swept the storage", objects=len(found.dead), bytes=size, waiting=found.waiting
            )


def _whose(key: str) -> str:
    """Return the app that a key belongs to; a runtime is no app's, and stands for itself."""
    area, owner, *_ = key.split("/")
    return key if area == RUNTIMES else owner
