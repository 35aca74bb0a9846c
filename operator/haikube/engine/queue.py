"""The work queue: which keys are to be reconciled, each by one worker at a time.

Theory of operation, after client-go's work queue:

1. A key is *ready* (waiting in a lane), *running* (with a worker), both never twice.
2. Adding a key that is ready changes nothing; it only moves it up to a lane that goes first.
3. Adding a key that is running marks it *dirty*; it becomes ready again when its worker is done.
   So no two workers ever hold one key, and no change is lost.
4. A failed key comes back after a random part of ``min(5 ms * 2^n, 5 min)``; success forgets n.
5. What a person changed goes before what the cluster reports, and that before what is merely
   looked at again (start-up, resync). Every eighth turn begins with a later lane, so a push never
   waits behind ten thousand cold keys and those never wait for ever.
6. ``soon`` waits a few milliseconds, so that a burst of events becomes one pass. Taking a key
   forgets what was wished for later: the pass that begins now decides that anew.

The queue never runs anything and never forgets a key by itself.
"""

from __future__ import annotations

import asyncio
import enum
import heapq
import random
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from haikube.engine.clock import Clock, Timer

K = TypeVar("K", bound=Hashable)

FIRST_RETRY = 0.005
LONGEST_RETRY = 300.0
TURN = 8
BURST = 0.005
"""Seconds that ``soon`` waits for more events of the same burst."""

_MOST_DOUBLINGS = 30
"""2^30 * 5 ms is far over the longest retry; more would only overflow."""


class Lane(enum.IntEnum):
    """Who goes first."""

    PERSON = 0
    EVENT = 1
    LOOK = 2


class WorkQueue(Generic[K]):
    """Keys in lanes, with delays and back-off; see the module for the rules."""

    def __init__(self, clock: Clock, jitter: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._jitter = jitter
        self._lanes: dict[Lane, dict[K, float]] = {lane: {} for lane in Lane}
        self._running: set[K] = set()
        self._dirty: dict[K, Lane] = {}
        self._failures: dict[K, int] = {}
        self._later: list[tuple[float, int, K]] = []
        self._later_at: dict[K, float] = {}
        self._serial = 0
        self._turn = 0
        self._timer: Timer | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()

    def add(self, key: K, lane: Lane = Lane.EVENT) -> None:
        """Make a key ready now."""
        if key in self._running:
            self._dirty[key] = min(self._dirty.get(key, lane), lane)
            return
        waiting = self._lane_of(key)
        if waiting is not None and waiting <= lane:
            return
        since = self._clock.monotonic()
        if waiting is not None:
            since = self._lanes[waiting].pop(key)
        self._lanes[lane][key] = since
        self._wake()

    def soon(self, key: K) -> None:
        """Make a key ready when the burst of events that wakes it is over."""
        if key in self._running or self._lane_of(key) is not None:
            self.add(key)
        else:
            self.add_after(key, BURST)

    def _lane_of(self, key: K) -> Lane | None:
        return next((lane for lane, keys in self._lanes.items() if key in keys), None)

    def add_after(self, key: K, seconds: float) -> None:
        """Make a key ready after ``seconds``; of several such wishes the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        at = self._clock.monotonic() + seconds
        if at >= self._later_at.get(key, float("inf")):
            return
        self._later_at[key] = at
        self._serial += 1
        heapq.heappush(self._later, (at, self._serial, key))
        self._set_timer()

    async def get(self) -> K:
        """Wait for a ready key and take it; the caller owes a ``done``."""
        while not self.depth:
            await self._ready()
        key = self._take()
        self._running.add(key)
        self._later_at.pop(key, None)
        return key

    def done(self, key: K, *, failed: bool = False) -> None:
        """Give a key back; a failed one comes again by itself, later and later."""
        self._running.remove(key)
        if failed:
            self.add_after(key, self._back_off(key))
        else:
            self._failures.pop(key, None)
        if key in self._dirty:
            self.add(key, self._dirty.pop(key))

    def failures(self, key: K) -> int:
        """Return how often a key has failed in a row."""
        return self._failures.get(key, 0)

    @property
    def depth(self) -> int:
        """Return how many keys are ready."""
        return sum(len(keys) for keys in self._lanes.values())

    @property
    def running(self) -> int:
        """Return how many keys are with workers."""
        return len(self._running)

    @property
    def delayed(self) -> int:
        """Return how many keys are due later."""
        return len(self._later_at)

    @property
    def oldest_age(self) -> float:
        """Return for how many seconds the longest waiting ready key has waited."""
        firsts = [next(iter(keys.values())) for keys in self._lanes.values() if keys]
        return self._clock.monotonic() - min(firsts) if firsts else 0.0

    @property
    def idle(self) -> bool:
        """Return whether nothing is ready and nothing runs; delayed keys do not count."""
        return not (self.depth or self._running)

    def _take(self) -> K:
        self._turn = (self._turn + 1) % (2 * TURN)
        first = {0: (Lane.LOOK,), TURN: (Lane.EVENT,)}.get(self._turn, ())
        keys = next(found for lane in (*first, *Lane) if (found := self._lanes[lane]))
        key = next(iter(keys))
        del keys[key]
        return key

    def _back_off(self, key: K) -> float:
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        doubled: float = FIRST_RETRY * 2 ** min(count, _MOST_DOUBLINGS)
        return self._jitter() * min(doubled, LONGEST_RETRY)

    async def _ready(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._wake()  # it was our turn: let the next one have it
            raise

    def _wake(self) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._later:
            wait = max(0.0, self._later[0][0] - self._clock.monotonic())
            self._timer = self._clock.call_later(wait, self._release)

    def _release(self) -> None:
        now = self._clock.monotonic()
        while self._later and self._later[0][0] <= now:
            at, _, key = heapq.heappop(self._later)
            if self._later_at.get(key) == at:
                del self._later_at[key]
                self.add(key)
        self._set_timer()
