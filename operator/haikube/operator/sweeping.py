"""Mark-and-sweep of the object storage: list, ask what lives, delete the rest.

The storage is listed before the cluster, so that nothing stored meanwhile is ever looked at. An
error of either ends the sweep without deleting anything more; the next one starts anew.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster
from haikube.engine.clock import Clock
from haikube.model.names import STORAGE_AREAS
from haikube.model.resources import APPS, BUILDS, RELEASES
from haikube.plan.sweep import observe_live, plan_sweep
from haikube.settings import Settings
from haikube.storage.port import Storage, StorageError, Stored

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found dead, and whether it was deleted."""

    dead: tuple[Stored, ...]
    kept: int
    deleted: bool

    def __str__(self) -> str:
        """Return one line for people."""
        size = sum(each.size for each in self.dead)
        verb = "deleted" if self.deleted else "would delete"
        return f"{verb} {len(self.dead)} objects ({size:,} bytes), kept {self.kept}"


async def sweep(
    cluster: Cluster, storage: Storage, settings: Settings, clock: Clock, *, dry_run: bool
) -> Swept:
    """Delete what nothing refers to any more; with ``dry_run`` only say what that is."""
    stored = [each for area in STORAGE_AREAS async for each in storage.list(f"{area}/")]
    apps, builds, releases = [(await cluster.list(kind)).items for kind in (APPS, BUILDS, RELEASES)]
    live = observe_live(apps, builds, releases)
    dead = plan_sweep(stored, live, now=clock.now(), grace=settings.sweep_grace)
    if not dry_run:
        for each in dead:
            await storage.delete(each.key)
    return Swept(tuple(dead), len(stored) - len(dead), deleted=not dry_run)


async def sweep_for_ever(
    cluster: Cluster, storage: Storage, settings: Settings, clock: Clock
) -> None:
    """Sweep every ``HAIKUBE_SWEEP_SECONDS`` until cancelled."""
    while True:
        await clock.sleep(settings.sweep_seconds)
        try:
            log.info("sweep: %s", await sweep(cluster, storage, settings, clock, dry_run=False))
        except (ApiError, StorageError) as error:
            log.warning("sweep broken off, tried again later: %s", error)
