"""Measures what builds store, and ends those that store more than a build may; ``plan.bounds``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster
from haikube.engine.clock import Clock
from haikube.engine.recorder import Recorder
from haikube.engine.store import Store
from haikube.model.intents import Event
from haikube.model.resources import APPS, BUILDS
from haikube.plan.bounds import Bound, bounds, is_finished
from haikube.settings import Settings
from haikube.storage.port import MissingObject, Storage, StorageError

log = logging.getLogger(__name__)

EVERY: Final = 20.0
"""Seconds between two looks at all builds whose URLs are good."""


class Bounds:
    """One loop over the builds of the store."""

    def __init__(
        self, cluster: Cluster, storage: Storage, store: Store, settings: Settings, clock: Clock
    ) -> None:
        self._cluster = cluster
        self._storage = storage
        self._store = store
        self._settings = settings
        self._clock = clock
        self._recorder = Recorder(cluster, "haikube-operator", clock)
        self._past: set[str] = set()
        """Uids of builds that have ended, and their URLs too."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(EVERY)
            await self.look()

    async def look(self) -> None:
        """Measure once what every build has stored; a failure is tried again."""
        known = self._store.uids(BUILDS)
        self._past &= known.keys()
        for uid, (namespace, name) in known.items():
            build = None if uid in self._past else self._store.get(BUILDS, namespace, name)
            if build is None:
                continue
            try:
                await self._look_at(build)
            except (ApiError, StorageError) as error:
                log.warning("build %s could not be measured, tried again: %s", name, error)

    async def _look_at(self, build: Mapping[str, Any]) -> None:
        app = self._store.get(APPS, build["metadata"]["namespace"], build["spec"]["appRef"]["name"])
        if app is None:
            return
        reached = bounds(build, app, self._settings, self._clock.now())
        if not reached and is_finished(build):
            self._past.add(build["metadata"]["uid"])
        for bound in reached:
            size = await self._size(bound)
            if size > bound.limit:
                await self._end(build, bound, size)

    async def _size(self, bound: Bound) -> int:
        try:
            return (await self._storage.head(bound.key)).size
        except MissingObject:
            return 0

    async def _end(self, build: Mapping[str, Any], bound: Bound, size: int) -> None:
        """Cancel the build first: whoever wrote once can write again."""
        meta = build["metadata"]
        if not is_finished(build):
            wish = {"spec": {"cancel": True}}
            await self._cluster.patch(BUILDS, meta["name"], meta["namespace"], wish)
        await self._storage.delete(bound.key)
        area = bound.key.partition("/")[0]
        text = f"it stored {size} bytes in {area}, at most {bound.limit} may be: they are removed"
        log.error("build %s/%s: %s", meta["namespace"], meta["name"], text)
        await self._recorder.record(BUILDS, build, Event("Warning", "StoredTooMuch", text))
