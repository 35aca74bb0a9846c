"""A stream that ends early, when something else has happened first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any


async def until(
    stream: AsyncGenerator[bytes, None], event: Coroutine[Any, Any, None]
) -> AsyncGenerator[bytes, None]:
    """Yield from ``stream`` until it ends or ``event`` returns.

    An event that fails counts as one that never comes.
    """
    happened = asyncio.create_task(event)
    try:
        while chunk := await _next(stream, happened):
            yield chunk[0]
    finally:
        await _canceled(happened)
        await stream.aclose()


async def _next(
    stream: AsyncGenerator[bytes, None], happened: asyncio.Task[None]
) -> tuple[bytes] | None:
    """Return the next chunk, or None where there is none or the event comes first."""
    reading = asyncio.create_task(_read(stream))
    try:
        while not reading.done():
            if happened.done() and not happened.exception():
                return None
            waited = {reading} if happened.done() else {reading, happened}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        return reading.result()
    finally:
        await _canceled(reading)


async def _read(stream: AsyncGenerator[bytes, None]) -> tuple[bytes] | None:
    async for chunk in stream:
        return (chunk,)
    return None


async def _canceled(task: asyncio.Task[Any]) -> None:
    if not task.done():  # what nearly every chunk is by now
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # looked at, so that nobody warns of it
