"""Lines as server-sent events, and as plain text for clients that want that."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from haikube.api.kernel.seal import Seals
from haikube.logs.line import Line

EVENTS: Final = "text/event-stream"

_RENEWED_SECONDS: Final = 600
_COMMENT: Final = b":\n\n"


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where a reader was before its connection broke."""

    time: str


class EventIds:
    """Names events by time, so that a reader who comes back goes on where it was.

    The name proves that the reader held the link a short while ago: a tail may be longer than the
    life of its link.
    """

    def __init__(self, seals: Seals, link: str) -> None:
        self._seals = seals
        self._link = link

    def make(self, line: Line) -> str:
        """Return the name of an event that ends with a line."""
        minute = str(int(time.time()) // 60)
        return f"{line.time}/{minute}/{self._seals.proof(self._link, minute)}"

    def read(self, request: Request) -> Resumed | None:
        """Return where a reader was; None for a new one, and for a name that is not ours."""
        parts = request.headers.get("last-event-id", "").split("/")
        if len(parts) != 3 or not parts[1].isdecimal():  # noqa: PLR2004 - as made above
            return None
        if parts[2] != self._seals.proof(self._link, parts[1]):
            return None
        age = time.time() - int(parts[1]) * 60
        return Resumed(parts[0]) if age < _RENEWED_SECONDS else None


async def events(
    batches: AsyncGenerator[list[Line], None], ids: EventIds, *, retry: int
) -> AsyncIterator[bytes]:
    """Yield events; silence becomes a comment, which clients do not show.

    ``retry`` is when a client comes back after the end, in milliseconds.
    """
    yield f"retry: {retry}\n\n".encode()
    async with aclosing(batches):
        async for lines in batches:
            yield _event(lines, ids) if lines else _COMMENT


async def texts(batches: AsyncGenerator[list[Line], None]) -> AsyncIterator[bytes]:
    """Yield lines as plain text."""
    async with aclosing(batches):
        async for lines in batches:
            if lines:
                yield "".join(f"{line}\n" for line in lines).encode()


def _event(lines: list[Line], ids: EventIds) -> bytes:
    data = "".join(f"data: {line}\n" for line in lines)
    return f"id: {ids.make(lines[-1])}\n{data}\n".encode()
