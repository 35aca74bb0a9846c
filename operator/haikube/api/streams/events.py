"""Lines as server-sent events, and as plain text for clients that want that."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Final

from starlette.requests import Request

from haikube.api.kernel.seal import Seals
from haikube.logs.line import Line
from haikube.logs.position import Position

EVENTS: Final = "text/event-stream"

_RENEWED_SECONDS: Final = 600
_COMMENT: Final = b":\n\n"


class EventIds:
    """Names events by position, so that a reader who comes back goes on where it was.

    The name proves that the reader held the link a short while ago: a tail may be longer than the
    life of its link.
    """

    def __init__(self, seals: Seals, link: str) -> None:
        self._seals = seals
        self._link = link

    def make(self, position: Position) -> str:
        """Return the name of an event after which a reader is at a position."""
        minute = str(int(time.time()) // 60)
        return f"{position}/{minute}/{self._seals.proof(self._link, minute)}"

    def read(self, request: Request) -> Position | None:
        """Return where a reader was; None for a new one, and for a name that is not ours."""
        parts = request.headers.get("last-event-id", "").split("/")
        if len(parts) != 3 or not parts[1].isdecimal():  # noqa: PLR2004 - as made above
            return None
        if parts[2] != self._seals.proof(self._link, parts[1]):
            return None
        age = time.time() - int(parts[1]) * 60
        with suppress(ValueError):
            return Position.parse(parts[0]) if age < _RENEWED_SECONDS else None
        return None


async def events(
    batches: AsyncGenerator[list[Line], None], ids: EventIds, position: Position, *, retry: int
) -> AsyncIterator[bytes]:
    """Yield events from a position on; silence becomes a comment, which clients do not show.

    ``retry`` is when a client comes back after the end, in milliseconds.
    """
    yield f"retry: {retry}\n\n".encode()
    async with aclosing(batches):
        async for lines in batches:
            position.advance(lines)
            yield _event(lines, ids.make(position)) if lines else _COMMENT


async def texts(batches: AsyncGenerator[list[Line], None]) -> AsyncIterator[bytes]:
    """Yield lines as plain text."""
    async with aclosing(batches):
        async for lines in batches:
            if lines:
                yield "".join(f"{line}\n" for line in lines).encode()


def _event(lines: list[Line], name: str) -> bytes:
    """Return one event; some clients believe a name before they have the whole event."""
    data = "".join(f"data: {line}\n" for line in lines)
    return f"{data}id: {name}\n\n".encode()
