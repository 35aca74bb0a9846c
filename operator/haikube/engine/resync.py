"""Find what the watches have missed.

A watch that was interrupted never tells of objects deleted meanwhile. So every kind is listed
again from time to time (metadata only) and compared: what is gone is reported as deleted, what is
outdated is read again; ``compared`` is told the kind after it. The store tells its listener of each
change.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from haikube.cluster.errors import ApiError, NotFound
from haikube.cluster.port import Cluster
from haikube.engine.clock import Clock
from haikube.engine.store import Name, Store
from haikube.model.resources import Resource

log = logging.getLogger(__name__)

SOON = 2.0
"""After a sign of a gap: long enough for the watch to deliver what it has by itself."""

SPREAD = 0.2
RETRY = 5.0


@dataclass(frozen=True, slots=True)
class Watched:
    """One kind the store is fed with, narrowed by a label selector."""

    resource: Resource
    labels: str = ""
    namespace: str | None = None


class Resync:
    """Lists every watched kind every ``seconds``, give or take a fifth."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        watched: Iterable[Watched],
        compared: Callable[[Resource], None],
        clock: Clock,
        *,
        seconds: float,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._watched = {kind.resource: kind for kind in watched}
        self._compared = compared
        self._clock = clock
        self._seconds = seconds
        self._jitter = jitter
        self._wishes = {resource: asyncio.Event() for resource in self._watched}

    def soon(self, resource: Resource) -> None:
        """Compare a kind in two seconds: its watch began anew, something may have been missed."""
        self._wishes[resource].set()

    async def run(self) -> None:
        """Compare until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in self._watched.values():
                group.create_task(self._follow(kind))

    async def compare(self, kind: Watched) -> None:
        """Compare the store with what is there now."""
        resource = kind.resource
        listing = await self._cluster.list(
            resource, kind.namespace, labels=kind.labels, metadata_only=True
        )
        gap = self._store.diff(resource, listing)
        for name in gap.outdated:
            await self._read_again(resource, name)
        if gap.deleted or gap.outdated:
            log.info(
                "%s: %d deleted and %d changed unnoticed",
                resource.plural,
                len(gap.deleted),
                len(gap.outdated),
            )

    async def _follow(self, kind: Watched) -> None:
        wait = self._interval()
        while True:
            await self._pause(kind.resource, wait)
            try:
                await self.compare(kind)
                wait = self._interval()
                self._compared(kind.resource)
            except ApiError as error:
                log.warning("%s could not be compared: %s", kind.resource.plural, error)
                wait = RETRY * (1 + self._jitter())

    async def _pause(self, resource: Resource, seconds: float) -> None:
        """Wait out an interval, or less if somebody wishes so."""
        wish = self._wishes[resource]
        timer = self._clock.call_later(seconds, wish.set)
        early = self._clock.monotonic() + seconds
        await wish.wait()
        timer.cancel()
        if self._clock.monotonic() < early:
            await self._clock.sleep(SOON)
        wish.clear()

    async def _read_again(self, resource: Resource, name: Name) -> None:
        namespace, plain = name
        try:
            found = await self._cluster.get(resource, plain, namespace or None)
        except NotFound:
            return  # deleted since; the watch or the next comparison tells
        self._store.put(resource, None, found)

    def _interval(self) -> float:
        return self._seconds * (1 + SPREAD * (2 * self._jitter() - 1))
