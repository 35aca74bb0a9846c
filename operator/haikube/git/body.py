"""Request bodies as git sends them: chunked, perhaps gzipped, always bounded."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from time import monotonic
from typing import Final

from starlette.requests import ClientDisconnect, Request

_GZIP: Final = 16 + zlib.MAX_WBITS
_IDLE_SECONDS: Final = 60.0
_LEAST_RATE: Final = 1_000
"""Bytes per second, over all but the first minute."""

_INFLATE_STEP: Final = 1 << 20


class BodyTooLarge(Exception):
    """The body is longer than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the request is longer than {limit:,} bytes")
        self.limit = limit


class BodyDamaged(Exception):
    """The body is not what its headers say, or it broke off."""


async def read_body(request: Request, limit: int, dropped: int = 0) -> AsyncIterator[bytes]:
    """Yield the body, unpacked; raises ``BodyTooLarge`` or ``BodyDamaged``.

    Of a body that is too long as much again, or ``dropped`` bytes where that is more, is read and
    dropped, so that most clients see the answer and not a broken connection.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise BodyDamaged(f"Content-Encoding {encoding!r} is not supported: send gzip or none")
    raw = _raw(request)
    size = 0
    async for chunk in raw if encoding == "identity" else _inflate(raw):
        size += len(chunk)
        if size > limit:
            await _drop(raw, max(limit, dropped))
            raise BodyTooLarge(limit)
        yield chunk


async def _raw(request: Request) -> AsyncIterator[bytes]:
    """Yield what comes, as long as it comes at a rate that a bad line has, too."""
    chunks = request.stream()
    size, waited = 0, 0.0
    try:
        while True:
            begin = monotonic()
            async with asyncio.timeout(_IDLE_SECONDS):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            size, waited = size + len(chunk), waited + monotonic() - begin
            if waited > _IDLE_SECONDS + size / _LEAST_RATE:
                raise BodyDamaged(f"it comes at less than {_LEAST_RATE:,} bytes per second")
            yield chunk
    except ClientDisconnect as error:
        raise BodyDamaged("the connection broke off") from error
    except TimeoutError as error:
        raise BodyDamaged(f"nothing was sent for {_IDLE_SECONDS:.0f} s") from error


async def _drop(raw: AsyncIterator[bytes], most: int) -> None:
    async for chunk in raw:
        most -= len(chunk)
        if most < 0:
            return


async def _inflate(raw: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Unpack in small steps, so that a bomb meets the limit before it fills the memory."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        async for chunk in raw:
            data = chunk
            while data and not unpacker.eof:
                yield unpacker.decompress(data, _INFLATE_STEP)
                data = unpacker.unconsumed_tail
    except zlib.error as error:
        raise BodyDamaged(f"the body is not gzip: {error}") from error
    if not unpacker.eof:
        raise BodyDamaged("the gzip body broke off")


async def feed(stdin: asyncio.StreamWriter | None, body: AsyncIterator[bytes]) -> None:
    """Write a body into a process; one that ends early has the rest read and dropped."""
    if stdin is None:
        return
    alive = True
    try:
        async for chunk in body:
            if alive:
                alive = await _write(stdin, chunk)
    finally:
        stdin.close()


async def _write(stdin: asyncio.StreamWriter, chunk: bytes) -> bool:
    try:
        stdin.write(chunk)
        await stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True
