"""One session: a client's frames on one side, the streams of a process on the other.

Neither side is buffered beyond one frame: who reads slowly slows the other down.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

from haikube.cluster.port import Channel
from haikube.run.keys import Keys

IDLE_SECONDS: Final = 3600.0
"""A session in which neither side says anything is ended, as on Heroku."""

LOST_SECONDS: Final = 15.0
"""How long the streams of a lost process may stay silent: those of a lost node never end."""


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a client's terminal, in characters."""

    columns: int
    rows: int


class EndOfInput:
    """The client's input is over."""


Said = bytes | Size | EndOfInput


class Client(Protocol):
    """Whoever runs the command."""

    def said(self) -> AsyncIterator[Said]:
        """Yield what the client says until it goes."""
        ...

    async def show(self, data: bytes) -> None:
        """Send output; returns when it is on its way."""
        ...


@dataclass(slots=True)
class _Watch:
    """When something was said last, and heard of the process; when it was lost."""

    at: float
    heard: float
    lost: float = 0.0


class Session:
    """Joins a client and a process."""

    def __init__(
        self,
        client: Client,
        channel: Channel,
        *,
        tty: bool,
        idle: float = IDLE_SECONDS,
        is_lost: Callable[[], bool] = lambda: False,
        lost_after: float = LOST_SECONDS,
    ) -> None:
        self._client = client
        self._channel = channel
        self._keys = Keys(tty=tty)
        self._idle = idle
        self._is_lost = is_lost
        self._lost_after = lost_after
        self._watch = _Watch(monotonic(), monotonic())

    async def run(self) -> bool:
        """Pass on both ways; returns whether the process ended, not the client or their patience.

        Raises ``Unreachable`` when the process is cut off.
        """
        output = asyncio.create_task(self._outwards())
        inputs = asyncio.create_task(self._inwards())
        try:
            while not (output.done() or inputs.done()):
                left = self._left(monotonic())
                if left <= 0:
                    return False
                await asyncio.wait(
                    {output, inputs},
                    timeout=min(left, self._lost_after),
                    return_when=asyncio.FIRST_COMPLETED,
                )
            if output.done():
                output.result()
            return output.done()
        finally:
            await _ended(output, inputs)

    def _left(self, now: float) -> float:
        """Return the seconds for which silence is borne; what is typed wakes nobody who is lost."""
        watch = self._watch
        if not self._is_lost():
            return watch.at + self._idle - now
        watch.lost = watch.lost or now
        return max(watch.heard, watch.lost) + self._lost_after - now

    async def _outwards(self) -> None:
        async for data in self._channel.output():
            await self._client.show(data)
            self._watch.at = self._watch.heard = monotonic()

    async def _inwards(self) -> None:
        async for said in self._client.said():
            self._watch.at = monotonic()
            try:
                await self._give(said)
            except ConnectionError:
                await self._drain()
                return

    async def _give(self, said: Said) -> None:
        if isinstance(said, Size):
            await self._channel.resize(said.columns, said.rows)
        elif isinstance(said, EndOfInput):
            await self._channel.end_input()
        else:
            typed = self._keys.take(said, monotonic())
            if typed.data:
                await self._channel.send(typed.data)
            if typed.over:
                await self._channel.end_input()

    async def _drain(self) -> None:
        """Read on from a client whose process takes nothing any more: it may be about to end."""
        async for _ in self._client.said():
            self._watch.at = monotonic()


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at, so that nobody warns of it
