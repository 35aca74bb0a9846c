"""The reconciling half of the operator, put together; it knows neither kopf nor HTTP.

Tests run it on the fake cluster, ``main`` on the real one. Nothing is reconciled before ``load``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from haikube.cluster.port import Cluster
from haikube.engine.clock import Clock
from haikube.engine.commit import Committer
from haikube.engine.queue import WorkQueue
from haikube.engine.resync import Resync
from haikube.engine.store import Change
from haikube.engine.worker import Key, run_workers
from haikube.engine.worker import Observer as Watcher
from haikube.model import labels
from haikube.model.intents import Presign
from haikube.model.resources import APPS, OWN_KINDS, STACKS
from haikube.operator.observe import Observer
from haikube.operator.reconcile import Reconciler
from haikube.operator.routes import Routes, key_of
from haikube.operator.watched import MANAGER, WATCHED, HeardStore
from haikube.plan.context import Render
from haikube.settings import Settings
from haikube.storage.port import Storage

_STACK_DELAY = 5.0
"""A stack only counts its apps: many changes become one write."""


class Control:
    """Store, queue, workers and resync of one operator process."""

    def __init__(
        self,
        cluster: Cluster,
        storage: Storage,
        render: Render,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self.store = HeardStore(settings)
        self.queue: WorkQueue[Key] = WorkQueue(clock)
        self._routes = Routes(self.store, settings)
        self.resync = Resync(
            cluster, self.store, WATCHED, self.changed, clock, seconds=settings.resync_seconds
        )
        observer = Observer(self.store, cluster, storage, settings, clock)

        async def presign(wish: Presign) -> str:
            return await storage.presign(wish.method, wish.key, wish.seconds)

        committer = Committer(
            cluster, presign, self.store, MANAGER, clock, digest_annotation=labels.APPLIED_DIGEST
        )
        self.reconcile = Reconciler(
            self.store, observer, committer, render=render, settings=settings, clock=clock
        )
        self._settings = settings
        self._clock = clock
        self._loaded = False
        self.app_deleted: Callable[[str], None] | None = None

    def changed(self, change: Change) -> None:
        """Queue whatever a change concerns."""
        if not self._loaded:
            return
        if change.resource == APPS and change.new is None and self.app_deleted is not None:
            self.app_deleted(change.object["metadata"]["uid"])
        for key in self._routes.keys(change):
            if key.kind == STACKS.kind and change.resource != STACKS:
                self.queue.add_after(key, _STACK_DELAY)
            else:
                self.queue.add(key)

    async def load(self) -> None:
        """Read the whole cluster once, then look at everything in the low lane."""
        await self.resync.load()
        self.store.listener = self.changed
        self._loaded = True
        for kind in OWN_KINDS:
            for obj in self.store.list(kind):
                self.queue.add(key_of(kind, obj), low=True)

    async def run(self, observe: Watcher | None = None) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.resync.run())
            group.create_task(
                run_workers(
                    self.queue,
                    self.reconcile,
                    self._settings.workers,
                    clock=self._clock,
                    observe=observe,
                )
            )
