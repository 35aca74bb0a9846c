"""The frame around every pass: one place that knows what an outcome means for the queue.

A return value is when to look again. ``Stale`` and the refusals of the API server are expected
and come again with back-off; any other exception is a bug, logged with its traceback, and comes
again with back-off as well. Nothing a reconciler does ends a worker. A pass that never waited for
anybody gives the event loop back, so that ten thousand of them do not keep it for themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

from haikube.cluster.errors import ApiError
from haikube.engine.clock import Clock
from haikube.engine.outcome import Foreign, Stale
from haikube.engine.queue import WorkQueue

log = logging.getLogger(__name__)

DEADLINE = 300.0
"""A pass that takes longer hangs; it is given up and comes again."""

Outcome = Literal["done", "stale", "foreign", "refused", "failed"]


class Key(NamedTuple):
    """What is reconciled: an aggregate by kind, namespace (empty if it has none) and name."""

    kind: str
    namespace: str
    name: str


Reconciler = Callable[[Key], Awaitable[float | None]]
Observer = Callable[[Key, Outcome, float], None]
"""Told of every pass: key, outcome and seconds; for metrics."""


async def run_workers(
    queue: WorkQueue[Key],
    reconcile: Reconciler,
    n: int,
    *,
    clock: Clock,
    observe: Observer | None = None,
    deadline: float = DEADLINE,
) -> None:
    """Run ``n`` workers until cancelled."""
    worker = Worker(queue, reconcile, clock, observe or _nobody, deadline)
    async with asyncio.TaskGroup() as group:
        for _ in range(n):
            group.create_task(worker.run())


class Worker:
    """Takes keys, reconciles them and gives them back."""

    def __init__(
        self,
        queue: WorkQueue[Key],
        reconcile: Reconciler,
        clock: Clock,
        observe: Observer,
        deadline: float,
    ) -> None:
        self._queue = queue
        self._reconcile = reconcile
        self._clock = clock
        self._observe = observe
        self._deadline = deadline

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self.once(await self._queue.get())
            await asyncio.sleep(0)

    async def once(self, key: Key) -> None:
        """Reconcile one key that was taken from the queue."""
        start = self._clock.monotonic()
        outcome: Outcome = "failed"
        try:
            outcome, again = await self._pass(key)
            if again is not None:
                self._queue.add_after(key, again)
        finally:
            self._queue.done(key, failed=outcome != "done")
            self._observe(key, outcome, self._clock.monotonic() - start)

    async def _pass(self, key: Key) -> tuple[Outcome, float | None]:
        try:
            async with asyncio.timeout(self._deadline):
                return "done", await self._reconcile(key)
        except Stale as error:
            log.debug("%s %s/%s: %s", *key, error)
            return "stale", None
        except Foreign as error:
            log.warning("%s %s/%s: %s", *key, error)
            return "foreign", None
        except ApiError as error:
            log.warning("%s %s/%s: %s", *key, error)
            return "refused", None
        except Exception:
            log.exception("%s %s/%s: reconcile failed", *key)
            return "failed", None


def _nobody(key: Key, outcome: Outcome, seconds: float) -> None:
    del key, outcome, seconds
