"""The reconciling half of the operator, put together; it knows neither kopf nor HTTP.

Tests run it on the fake cluster, ``main`` on the real one. The store is filled and kept fresh from
the beginning; nothing is reconciled before ``lead``, so a standby has everything at hand.
"""

from __future__ import annotations

from collections.abc import Callable

from haikube.cluster.port import Cluster
from haikube.engine.change import Change
from haikube.engine.clock import Clock
from haikube.engine.commit import Committer
from haikube.engine.queue import Lane, WorkQueue
from haikube.engine.resync import Resync
from haikube.engine.worker import Key, run_workers
from haikube.engine.worker import Observer as Watcher
from haikube.model import labels
from haikube.model.intents import Presign
from haikube.model.resources import APPS, STACKS, Resource
from haikube.operator.certificates import KEY_OF_ALL, Certificates
from haikube.operator.reconcile import QUEUE, Reconciler
from haikube.operator.routes import Routes, by_person
from haikube.operator.watched import MANAGER, apps_named, new_store, watched
from haikube.operator.world import Worlds
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
        self.store = new_store(settings)
        self.store.listener = self._changed
        self.queue: WorkQueue[Key] = WorkQueue(clock)
        self._routes = Routes(self.store, settings)
        self.resync = Resync(
            cluster,
            self.store,
            watched(settings),
            self._compared,
            clock,
            seconds=settings.resync_seconds,
        )
        worlds = Worlds(self.store, cluster, storage, settings, clock)

        async def presign(wish: Presign) -> str:
            return await storage.presign(wish.method, wish.key, wish.seconds)

        committer = Committer(
            cluster, presign, self.store, MANAGER, clock, digest_annotation=labels.APPLIED_DIGEST
        )
        self.reconcile = Reconciler(
            self.store,
            worlds,
            committer,
            self.queue.add,
            Certificates(self.store, cluster, committer, settings),
            render=render,
            settings=settings,
            clock=clock,
        )
        self._settings = settings
        self._clock = clock
        self._leading = False
        self.app_deleted: Callable[[str], None] | None = None

    def heed_storage(self, full: Callable[[], str]) -> None:
        """Let no build begin while ``full`` returns why not."""
        self.reconcile.storage_full = full

    def lead(self) -> None:
        """Begin to look at everything, in the lane of what can wait, and at every change."""
        self._leading = True
        self._look_at_everything()

    async def run(self, observe: Watcher | None = None) -> None:
        """Work until cancelled."""
        await run_workers(
            self.queue,
            self.reconcile,
            self._settings.workers,
            clock=self._clock,
            observe=observe,
        )

    def _look_at_everything(self) -> None:
        self.queue.add(QUEUE, Lane.LOOK)
        self.queue.add(KEY_OF_ALL, Lane.LOOK)
        for _, name in self.store.uids(STACKS).values():
            self.queue.add(Key(STACKS.kind, "", name), Lane.LOOK)
        for place in apps_named(self.store):
            self.queue.add(Key(APPS.kind, *place), Lane.LOOK)

    def _compared(self, resource: Resource) -> None:
        """Look at everything once in a round: no wake-up that was missed stays so for long.

        What a comparison of any kind finds wakes whom it concerns by itself.
        """
        if self._leading and resource == APPS:
            self._look_at_everything()

    def _changed(self, change: Change, expected: bool) -> None:  # noqa: FBT001 - the store's listener
        """Queue whatever a change concerns; what a pass wrote itself it has looked at already."""
        if not self._leading:
            return
        if change.resource == APPS and change.new is None and self.app_deleted is not None:
            self.app_deleted(change.object["metadata"]["uid"])
        person = by_person(change)
        for key in () if expected else self._routes.own(change):
            if person:
                self.queue.add(key, Lane.PERSON)
            else:
                self.queue.soon(key)
        for key in self._routes.others(change):
            if key.kind == STACKS.kind and change.resource != STACKS:
                self.queue.add_after(key, _STACK_DELAY)
            else:
                self.queue.soon(key)
