"""One operator process: all watch, one leads, and only the one that leads writes.

Losing the lead ends the process at once, without tidying up: another one may already act. Leaving
in good order stops the work first, gives the lead up next and closes the watches last.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Coroutine
from typing import Any

from haikube.cluster.addresses import path
from haikube.cluster.credentials import Credentials
from haikube.cluster.errors import Unreachable
from haikube.cluster.port import Cluster
from haikube.engine.clock import SystemClock
from haikube.engine.health import Health
from haikube.model.resources import Resource
from haikube.operator.bounds import Bounds
from haikube.operator.control import Control
from haikube.operator.kopfwatch import Watches
from haikube.operator.lease import Connect, LeaseThread
from haikube.operator.metrics import CountedCluster, Metrics
from haikube.operator.preflight import preflight
from haikube.operator.probes import probes_app, serve_probes
from haikube.operator.sweep import Sweeper, mercy
from haikube.operator.sweeping import Sweeping
from haikube.operator.usage import Usage
from haikube.operator.watched import watched
from haikube.render.renderer import Renderer
from haikube.settings import Settings
from haikube.storage.port import Storage

log = logging.getLogger(__name__)

HARD_EXIT_SECONDS = 20.0
WATCH_SILENCE = 180.0
OLDEST_KEY = 600.0
_COLLECT = (100_000, 20, 50)
"""A pass makes thousands of short-lived objects and next to no cycles: look for those seldom."""


class Process:
    """Everything one operator process consists of."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        cluster: Cluster,
        storage: Storage,
        connect: Connect,
    ) -> None:
        self.settings = settings
        self.credentials = credentials
        self.clock = SystemClock()
        self.health = Health(self.clock)
        self.metrics = Metrics()
        self._cluster = cluster
        fenced = CountedCluster(cluster, self._before_write)
        self.control = Control(fenced, storage, Renderer(), settings, self.clock)
        sweeper = Sweeper(cluster, storage, mercy=mercy(settings))
        self.sweeping = Sweeping(sweeper, self.clock, seconds=settings.sweep_seconds)
        self.control.app_deleted = self.sweeping.app_deleted
        self.usage = Usage(storage, self.clock, limit=settings.storage_limit)
        self.control.heed_storage(lambda: self.usage.full)
        self.bounds = Bounds(fenced, storage, self.control.store, settings, self.clock)
        self._identity: Any = settings.identity or socket.gethostname()
        self.lease = LeaseThread(
            connect,
            settings.namespace,
            self._identity,
            seconds=settings.lease_seconds,
            lost=_end_at_once,
        )
        self.stopping = asyncio.Event()
        self.synced = asyncio.Event()
        self.leads = asyncio.Event()
        self._watches: tuple[asyncio.Task[None], ...] = ()
        self._bound()

    def _bound(self) -> None:
        queue = self.control.queue
        self.health.bound("oldest queued key", lambda: queue.oldest_age, OLDEST_KEY)
        self.metrics.gauge("haikube_queue_depth", "keys that wait", lambda: queue.depth)
        self.metrics.gauge("haikube_queue_age_seconds", "oldest key", lambda: queue.oldest_age)
        self.metrics.gauge("haikube_queue_delayed", "keys for later", lambda: queue.delayed)

    def ready(self) -> str:
        """Return why this process is not ready, or nothing; a standby has its caches filled."""
        return "" if self.synced.is_set() else "the caches are not filled yet"

    async def run(self) -> None:
        """Run until told to stop; raises when a part of it breaks."""
        self._heed_signals()
        await preflight(self._cluster, self.settings)
        runner = await serve_probes(
            probes_app(self.health, self.metrics, self.ready), self.settings.metrics_port
        )
        beat = asyncio.create_task(self.health.beat())
        try:
            if await self._until_stop(self._stand_by()):
                await self._lead()
        finally:
            _arm_hard_exit()
            await self.lease.release()
            await _end(beat, *self._watches)
            await runner.cleanup()

    async def _stand_by(self) -> None:
        """Fill the caches, keep them fresh, and wait for the lead."""
        wanted = watched(self.settings)
        watches = Watches(wanted, self.control.store, self.control.resync, self._seen)
        self._watches = (
            asyncio.create_task(self._watch(watches)),
            asyncio.create_task(self.control.resync.run()),
        )
        await self._first_of(watches.filled.wait())
        gc.collect()
        gc.freeze()  # what is there now stays: it need not be looked through again and again
        gc.set_threshold(*_COLLECT)
        self.synced.set()
        await self._first_of(self.lease.acquire())

    async def _first_of(self, work: Coroutine[Any, Any, Any]) -> None:
        """Await work, or the end of a watch, which is an error."""
        task = asyncio.create_task(work)
        try:
            await _first_end(task, *self._watches)
        finally:
            task.cancel()

    async def _lead(self) -> None:
        """Reconcile until told to stop.

        When this returns nothing is written any more, so that the lead can be given up.
        """
        await self.usage.begin()
        self.metrics.leading()
        self.leads.set()
        self.control.lead()
        log.info("%s leads: %d keys to look at", self._identity, self.control.queue.depth)
        work = asyncio.create_task(self.control.run(self.metrics.reconciled))
        keepers = [
            asyncio.create_task(each.run()) for each in (self.sweeping, self.usage, self.bounds)
        ]
        try:
            await self._until_stop(_first_end(work, *keepers, *self._watches))
        finally:
            await _end(work, *keepers)

    def _before_write(self, resource: Resource, verb: str) -> None:
        """Let nothing be written without the lead: another process may have it by now."""
        if not self.lease.leading:
            raise Unreachable(0, "NotLeading", f"{verb} {resource.kind} held back: not the leader")
        self.metrics.wrote(resource, verb)

    def _seen(self, resource: Resource) -> None:
        self.health.seen(resource.kind)

    async def _watch(self, watches: Watches) -> None:
        kinds = {path(each.resource): each.resource.kind for each in watched(self.settings)}
        for kind in kinds.values():
            self.health.expect(kind, WATCH_SILENCE)

        def heard(address: str) -> None:
            if address in kinds:
                self.health.seen(kinds[address])

        await watches.run(self.credentials, heard)

    def _heed_signals(self) -> None:
        """Stop when told to."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stopping.set)

    async def _until_stop(self, work: Coroutine[Any, Any, None]) -> bool:
        """Await work, or the wish to stop; returns whether the work came to its end."""
        doing = asyncio.ensure_future(work)
        stop = asyncio.create_task(self.stopping.wait())
        await asyncio.wait({doing, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if doing.done():
            await doing
            return True
        doing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await doing
        return False


def _end_at_once() -> None:
    """End the process without tidying up: another one may already act."""
    log.critical("the lead is lost: ending at once")
    os._exit(1)


async def _first_end(*tasks: asyncio.Task[Any]) -> None:
    """Await tasks that never end: the first that does is passed on."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _arm_hard_exit() -> None:
    """End the process the hard way if leaving in good order takes too long."""
    timer = threading.Timer(HARD_EXIT_SECONDS, os._exit, args=(1,))
    timer.daemon = True
    timer.start()
