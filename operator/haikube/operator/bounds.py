"""Measures what builds store, and ends those that store more than a build may; ``plan.bounds``."""

from __future__ import annotations

import asyncio
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
from haikube.operator.sizes import Sizes
from haikube.plan.bounds import Bound, Reach, is_finished, reach
from haikube.settings import Settings
from haikube.storage.port import Storage, StorageError

log = logging.getLogger(__name__)

EVERY: Final = 20.0
"""Seconds between two looks at all builds whose URLs are good."""

Object = Mapping[str, Any]


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
        self._sizes = Sizes(storage)
        self._reaches: dict[str, Reach] = {}
        """By the uid of a build: what its URLs have been seen to reach."""

        self._ended: set[str] = set()
        """Uids of builds that have ended, and so reach nothing that is not known already."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(EVERY)
            await self.look()

    async def look(self) -> None:
        """Measure once what every build has stored; a failure is tried again."""
        await self._find()
        now = self._clock.now()
        self._reaches = {uid: each for uid, each in self._reaches.items() if now <= each.until}
        within = [(each, bound) for each in self._reaches.values() for bound in each.bounds]
        try:
            sizes = await self._sizes.of(bound.key for _, bound in within)
        except StorageError as error:
            log.warning("what builds have stored could not be measured, tried again: %s", error)
            return
        for each, bound in within:
            if (size := sizes.get(bound.key, 0)) > bound.limit:
                await self._try_to_end(each, bound, size)

    async def _find(self) -> None:
        """Find out what the builds reach that have not ended, or had not when last seen."""
        known = self._store.uids(BUILDS)
        self._ended &= known.keys()
        for uid, place in known.items():
            if uid not in self._ended:
                self._consider(uid, *place)
                await asyncio.sleep(0)  # a new leader reads all that there are

    def _consider(self, uid: str, namespace: str, name: str) -> None:
        build = self._store.get(BUILDS, namespace, name)
        app = build and self._store.get(APPS, namespace, build["spec"]["appRef"]["name"])
        if build is None or app is None:
            return
        found = reach(build, app, self._settings)
        if found is not None and self._clock.now() <= found.until:
            self._reaches[uid] = found.beside(self._reaches.get(uid))
        if is_finished(build):
            self._ended.add(uid)

    async def _try_to_end(self, each: Reach, bound: Bound, size: int) -> None:
        try:
            await self._end(each, bound, size)
        except (ApiError, StorageError) as error:
            log.warning("build %s/%s is to be ended, tried again: %s", *each.build, error)

    async def _end(self, each: Reach, bound: Bound, size: int) -> None:
        """Cancel the build first: whoever wrote once can write again."""
        namespace, name = each.build
        build = self._store.get(BUILDS, namespace, name)
        if build is not None and not is_finished(build):
            await self._cluster.patch(BUILDS, name, namespace, {"spec": {"cancel": True}})
        await self._storage.delete(bound.key)
        area = bound.key.partition("/")[0]
        text = f"it stored {size} bytes in {area}, at most {bound.limit} may be: they are removed"
        log.error("build %s/%s: %s", namespace, name, text)
        if build is not None:
            await self._recorder.record(BUILDS, build, Event("Warning", "StoredTooMuch", text))
