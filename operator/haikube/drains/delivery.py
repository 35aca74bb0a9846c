"""One drain: lines in at one end, batches out at the other, and how far it has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from haikube.drains.buffer import Buffer
from haikube.drains.probes import LATE, SENT
from haikube.drains.targets import Late, Target, Unwanted
from haikube.logs.line import Line
from haikube.logs.tail import MOST
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

    async def past(self, count: int) -> list[Line]:
        """Return the last lines."""
        ...

    def live(self, pulse: float) -> AsyncIterator[list[Line]]:
        """Yield what comes."""
        ...


class Delivery:
    """Sends everything after ``reached`` at least once; a slow target loses the oldest lines."""

    def __init__(
        self,
        drain: Drain,
        source: Source,
        target: Target,
        *,
        reached: str = "",
        pace: Pace | None = None,
    ) -> None:
        self._drain = drain
        self._source = source
        self._target = target
        self._pace = pace or Pace()
        self._buffer = Buffer(drain.token)
        self._more = asyncio.Event()
        self.reached = reached
        """Time of the last line that arrived, empty before the first."""

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
        past = await self._source.past(MOST if self.reached else 0)
        self._take([line for line in past if line.time > self.reached])
        async with aclosing(self._source.live(self._pace.pulse)) as batches:  # type: ignore[type-var]
            async for lines in batches:
                self._take(lines)

    def _take(self, lines: list[Line]) -> None:
        if lines:
            self._buffer.add(lines)
            self._more.set()

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
            self.reached = max(self.reached, *(line.time for line in batch))
            pause = self._pace.retry
