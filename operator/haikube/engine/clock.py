"""Time as the engine sees it: injected everywhere, so that tests never sleep.

Durations are measured with ``monotonic``; ``now`` is only for timestamps that people read.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Timer(Protocol):
    """A call that is due later and may still be called off."""

    def cancel(self) -> None:
        """Call it off; a call already made stays made."""
        ...


class Clock(Protocol):
    """Where the engine reads time and waits for it."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def now(self) -> datetime:
        """Return the wall clock, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call ``callback`` after ``seconds``."""
        ...


class SystemClock:
    """The running event loop's own clock."""

    def monotonic(self) -> float:
        """Return the event loop's time."""
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        """Return the system's wall clock."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait in the event loop."""
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Use the event loop's timer."""
        return asyncio.get_running_loop().call_later(seconds, callback)


class FakeTimer:
    """A due call of a ``FakeClock``."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget the callback."""
        self.callback = None


class FakeClock:
    """A clock that moves when a test says so."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = now
        self._elapsed = 0.0
        self._due: list[tuple[float, int, FakeTimer]] = []
        self._order = itertools.count()

    def monotonic(self) -> float:
        """Return the seconds advanced so far."""
        return self._elapsed

    def now(self) -> datetime:
        """Return the start plus the seconds advanced so far."""
        return self._start + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        """Wait until a test has advanced the clock far enough."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: None if done.done() else done.set_result(None))
        try:
            await done
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> FakeTimer:
        """Remember ``callback`` until the clock has advanced."""
        timer = FakeTimer(callback)
        heapq.heappush(self._due, (self._elapsed + seconds, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Move the clock, making every call that falls due at its own moment."""
        end = self._elapsed + seconds
        while self._due and self._due[0][0] <= end:
            self._elapsed, _, timer = heapq.heappop(self._due)
            if timer.callback is not None:
                timer.callback()
        self._elapsed = end

    async def run_for(self, seconds: float) -> None:
        """Advance, letting the tasks that wait for the clock run at each due moment."""
        end = self._elapsed + seconds
        await settle()
        while self._due and self._due[0][0] <= end:
            self.advance(self._due[0][0] - self._elapsed)
            await settle()
        self._elapsed = end


async def settle(rounds: int = 20) -> None:
    """Let every task that can run do so, without waiting for time."""
    for _ in range(rounds):
        await asyncio.sleep(0)
