"""The frame around a reconcile: every outcome means one thing for the queue."""

from __future__ import annotations

import asyncio
import logging

import pytest

from engine.objects import THINGS
from haikube.cluster.errors import Forbidden
from haikube.engine.clock import FakeClock, SystemClock, settle
from haikube.engine.outcome import Foreign, Stale
from haikube.engine.queue import WorkQueue
from haikube.engine.worker import Key, Outcome, Reconciler, run_workers

KEY = Key("Thing", "ns", "one")


class Frame:
    """Workers around one reconciler, with a record of the outcomes."""

    def __init__(self, reconcile: Reconciler, workers: int = 1) -> None:
        self.clock = FakeClock()
        self.queue = WorkQueue[Key](self.clock, jitter=lambda: 1.0)
        self.outcomes: list[Outcome] = []
        self._running = run_workers(
            self.queue, reconcile, workers, clock=self.clock, observe=self._note
        )

    def _note(self, key: Key, outcome: Outcome, seconds: float) -> None:
        assert key == KEY
        assert seconds >= 0
        self.outcomes.append(outcome)

    async def run(self) -> None:
        """Let the workers work off what is ready."""
        task = asyncio.create_task(self._running)
        self.queue.add(KEY)
        await settle()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def returning(again: float | None) -> Reconciler:
    async def reconcile(_: Key) -> float | None:
        return again

    return reconcile


def raising(error: BaseException) -> Reconciler:
    async def reconcile(_: Key) -> float | None:
        raise error

    return reconcile


async def test_a_key_that_is_done_rests() -> None:
    frame = Frame(returning(None))

    await frame.run()

    assert frame.outcomes == ["done"]
    assert (frame.queue.idle, frame.queue.delayed) == (True, 0)


async def test_a_key_comes_again_when_it_asked_for() -> None:
    frame = Frame(returning(30.0))

    await frame.run()

    assert frame.queue.delayed == 1
    frame.clock.advance(29)
    assert frame.queue.depth == 0
    frame.clock.advance(1)
    assert frame.queue.depth == 1


@pytest.mark.parametrize(
    ("error", "outcome", "level"),
    [
        (Stale(THINGS, "ns", "x"), "stale", logging.DEBUG),
        (Foreign(THINGS, "ns", "x", "Boss other"), "foreign", logging.WARNING),
        (Forbidden(403, "Forbidden", "exceeded quota"), "refused", logging.WARNING),
        (ValueError("a bug"), "failed", logging.ERROR),
    ],
)
async def test_whatever_goes_wrong_comes_again_with_back_off(
    caplog: pytest.LogCaptureFixture, error: Exception, outcome: Outcome, level: int
) -> None:
    caplog.set_level(logging.DEBUG, logger="haikube.engine")
    frame = Frame(raising(error))

    await frame.run()

    assert frame.outcomes == [outcome]
    assert frame.queue.failures(KEY) == 1
    assert frame.queue.delayed == 1
    assert [record.levelno for record in caplog.records if "ns/one" in record.message] == [level]
    assert any(record.exc_info for record in caplog.records) is (outcome == "failed")


async def test_a_reconcile_that_hangs_is_given_up() -> None:
    queue = WorkQueue[Key](FakeClock())
    outcomes: asyncio.Queue[Outcome] = asyncio.Queue()

    async def hang(_: Key) -> float | None:
        await asyncio.Event().wait()
        return None

    workers = asyncio.create_task(
        run_workers(
            queue,
            hang,
            1,
            clock=SystemClock(),
            observe=lambda _key, outcome, _seconds: outcomes.put_nowait(outcome),
            deadline=0.01,
        )
    )
    queue.add(KEY)

    assert await outcomes.get() == "failed"
    workers.cancel()
    await asyncio.gather(workers, return_exceptions=True)


async def test_stopping_gives_the_key_back() -> None:
    started = asyncio.Event()

    async def hang(_: Key) -> float | None:
        started.set()
        await asyncio.Event().wait()
        return None

    queue = WorkQueue[Key](FakeClock())
    workers = asyncio.create_task(run_workers(queue, hang, 2, clock=SystemClock()))
    queue.add(KEY)
    await started.wait()
    assert queue.running == 1

    workers.cancel()
    await asyncio.gather(workers, return_exceptions=True)

    assert queue.running == 0
    assert queue.delayed == 1
