"""The way from the bridge to the platform, which a test can cut and mend."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from terminal import GATEWAY

_CHUNK = 1 << 16
_ENDING = 0.2  # seconds in which those who copy see that their connections are gone


class Network:
    """Passes connections on to the gateway, as long as it is whole."""

    def __init__(self) -> None:
        self.port = 0
        self._whole = True
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve while the block runs."""
        begun: Future[asyncio.Event] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(begun)))
        thread.start()
        over = begun.result(10)
        try:
            yield
        finally:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(over.set)
            thread.join()

    def cut(self) -> None:
        """Break all connections, and let none through until `mend`."""
        self._whole = False
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._break)

    def mend(self) -> None:
        """Let connections through again."""
        self._whole = True

    def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, begun: Future[asyncio.Event]) -> None:
        self._loop, over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        begun.set_result(over)
        await over.wait()
        server.close()
        self._break()
        await asyncio.sleep(_ENDING)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*GATEWAY)
        pair = {writer, far_writer}
        self._writers |= pair
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            self._writers -= pair
            for each in pair:
                each.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
