"""Between git and a client that may read slowly or vanish: git never learns of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

_CHUNKS: Final = 64


class Pipe:
    """A bounded queue of chunks; once its reader is gone everything written is dropped."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_CHUNKS)
        self._abandoned = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Tell whether the next write has to wait for the reader."""
        return self._queue.full()

    async def write(self, chunk: bytes) -> None:
        """Hand a chunk over, waiting while the reader is slow; an empty one ends the stream."""
        if self._abandoned.is_set():
            return
        put = asyncio.ensure_future(self._queue.put(chunk))
        gone = asyncio.ensure_future(self._abandoned.wait())
        try:
            await asyncio.wait({put, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            put.cancel()
            gone.cancel()

    async def close(self) -> None:
        """End the stream."""
        await self.write(b"")

    def cut(self) -> None:
        """End the stream at once, without what the reader has not taken yet."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(b"")

    async def read(self) -> AsyncIterator[bytes]:
        """Yield chunks to the end."""
        try:
            while chunk := await self._queue.get():
                yield chunk
        finally:
            self._abandoned.set()
