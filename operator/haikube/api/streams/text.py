"""Plain text as it comes, past any proxy that would hold it back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse

from haikube.model.screen import Sieve

_NO_CACHE: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def text_stream(chunks: AsyncIterator[bytes], *, media_type: str = "text/plain") -> Response:
    """Return a response of chunks that are sent as they come."""
    return StreamingResponse(chunks, media_type=media_type, headers=_NO_CACHE)


async def printed(chunks: AsyncIterator[bytes]) -> Response:
    """Return a response of what a program prints, as a terminal may show it.

    It keeps its length, so that a reader can go on at an offset. Waits for the first chunk,
    because a refusal must come before the headers.
    """
    first = await anext(chunks, b"")

    async def shown() -> AsyncIterator[bytes]:
        sieve = Sieve()
        yield sieve.take(first)
        async for chunk in chunks:
            yield sieve.take(chunk)
        yield sieve.end()

    return text_stream(shown())
