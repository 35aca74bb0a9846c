"""Forward TCP ports of the host to the node: ``forward.py LISTEN=TARGET ...``.

A program of its own that the node's supervisor starts with ``python -I``, in the host's network.
It imports nothing of ours, and it ends when a port cannot be bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys

_CHUNK = 1 << 16


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction until its end, and hand the end on."""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def forward(
    host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Connect one client with the target; a target that refuses closes the client."""
    with contextlib.suppress(OSError):
        target_reader, target_writer = await asyncio.open_connection(host, port)
        try:
            await asyncio.gather(pump(reader, target_writer), pump(target_reader, writer))
        finally:
            target_writer.close()
    writer.close()


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of ``host:port``."""
    host, _, port = text.rpartition(":")
    return host, int(port)


async def serve(pairs: list[str]) -> None:
    """Forward every ``LISTEN=TARGET`` pair until the process is ended."""
    async with contextlib.AsyncExitStack() as servers:
        for pair in pairs:
            listen, _, target = pair.partition("=")
            handler = functools.partial(forward, *split_address(target))
            host, port = split_address(listen)
            await servers.enter_async_context(await asyncio.start_server(handler, host, port))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
