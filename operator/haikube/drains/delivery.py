"""One drain: lines in at one end, batches out at the other, and how far it has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from haikube.drains.buffer import Buffer
from haikube.drains.probes import LATE, SENT
from haikube.drains.targets import Late, Target, Unwanted
from haikube.logs.line import Line, stamp
from haikube.logs.position import Position
from haikube.model.drain import Drain

_COUNT: Final = 200
_BYTES: Final = 256 << 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds."""

    pulse: float = 5.0
    gather: float = 0.2
    """How long lines are waited for that go with others."""
    retry: float = 1.0
    longest: float = 60.0


class Source(Protocol):
    """An app's log; see ``logs.tail.Tail``."""

    async def since(self, position: Position) -> list[Line]:
        """Return what was missed."""
        ...

    def live(self, pulse: float) -> AsyncIterator[list[Line]]:
        """Yield what comes."""
        ...


class Delivery:
    """Sends everything after ``reached`` at least once; a slow target loses the oldest lines.

    What was printed before it began waits for the target, as long as that takes lines at all.
    """

    def __init__(
        self,
        drain: Drain,
        source: Source,
        target: Target,
        *,
        reached: Position,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._drain = drain
        self._source = source
        self._target = target
        self._pace = pace or Pace()
        self._buffer = Buffer(drain.token)
        self._more = asyncio.Event()
        self._less = asyncio.Event()
        self._begun = stamp(clock())
        self.reached = reached
        """Where in the log the lines that arrived end."""

    async def run(self) -> None:
        """Deliver until the app is gone."""
        sending = asyncio.create_task(self._send())
        try:
            await self._read()
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            await self._target.close()

    async def _read(self) -> None:
        missed = await self._source.since(self.reached)
        for start in range(0, len(missed), _COUNT):
            await self._take(missed[start : start + _COUNT])
        async with aclosing(self._source.live(self._pace.pulse)) as batches:  # type: ignore[type-var]
            async for lines in batches:
                await self._take(lines)

    async def _take(self, lines: list[Line]) -> None:
        if not lines:
            return
        if lines[0].time < self._begun:
            await self._room()
        self._buffer.add(lines)
        self._more.set()

    async def _room(self) -> None:
        """Wait for a target that takes lines, and no longer than between two tries."""
        while self._buffer.is_full:
            self._less.clear()
            try:
                async with asyncio.timeout(self._pace.longest):
                    await self._less.wait()
            except TimeoutError:
                return

    async def _send(self) -> None:
        pause = self._pace.retry
        while True:
            if not len(self._buffer):
                self._more.clear()
                await self._more.wait()
                await asyncio.sleep(self._pace.gather)
            batch = self._buffer.batch(_COUNT, _BYTES)
            try:
                await self._target.send(batch)
            except Late as error:
                LATE.inc()
                _log.warning("a drain is late", drain=self._drain.token, error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._pace.longest)
                continue
            except Unwanted as error:
                _log.warning("a drain refuses", drain=self._drain.token, error=str(error))
            else:
                SENT.inc(len(batch))
            self._buffer.sent(batch)
            self._less.set()
            self.reached.advance(batch)
            pause = self._pace.retry
