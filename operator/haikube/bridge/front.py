"""One loopback port for everything: the first byte tells TLS from HTTP, the first line the rest.

TLS starts with the byte 0x16. Inside TLS a request line is HTTPS, which git speaks; any other line
is the secret of a session that ``heroku run`` joins. Must never listen beyond loopback.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

_HANDSHAKE: Final = b"\x16"
_FIRST_BYTE_SECONDS: Final = 60.0
_FIRST_LINE_SECONDS: Final = 15.0
_LONGEST_SECRET: Final = 4096
_REQUEST_LINE: Final = re.compile(rb"[A-Z]{3,16} ")
_RETRY_SECONDS: Final = 0.2

Meet = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def listeners(port: int) -> list[socket.socket]:
    """Return sockets that listen on the port of 127.0.0.1 and, where there is one, ::1.

    Raises OSError when somebody else has the port; with port 0 the system chooses one.
    """
    first = _listener(socket.AF_INET, "127.0.0.1", port)
    try:
        return [first, _listener(socket.AF_INET6, "::1", first.getsockname()[1])]
    except OSError:
        if not _has_ipv6():
            return [first]
        first.close()
        raise


def _listener(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port), family=family, backlog=256)
    listener.settimeout(0)
    return listener


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


class Front:
    """Takes connections and hands each to the protocol it speaks."""

    def __init__(
        self, tls: ssl.SSLContext, http: Callable[[], asyncio.Protocol], meet: Meet
    ) -> None:
        self._tls = tls
        self._http = http
        self._meet = meet
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, sockets: list[socket.socket]) -> None:
        """Begin to accept."""
        for listener in sockets:
            self._spawn(self._accept(listener))

    async def stop(self) -> None:
        """End what is going on, sessions included."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                try:
                    connection, _ = await loop.sock_accept(listener)
                except OSError:  # out of files: others will end
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                self._spawn(self._admit(connection))

    async def _admit(self, connection: socket.socket) -> None:
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_FIRST_BYTE_SECONDS):
                first = await _peek(connection)
            if first == _HANDSHAKE:
                await loop.connect_accepted_socket(
                    lambda: _FirstLine(self._http, self._join), connection, ssl=self._tls
                )
            elif first:
                await loop.connect_accepted_socket(self._http, connection)
            else:
                connection.close()
        except (OSError, TimeoutError):  # it went away, or does not trust us
            connection.close()
        except BaseException:
            connection.close()
            raise

    def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._spawn(self._session(reader, writer))

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._meet(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _peek(connection: socket.socket) -> bytes:
    """Return the first byte without taking it; empty when the other end closed."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)


class _FirstLine(asyncio.Protocol):
    """Reads the beginning of what is said inside TLS, then steps aside."""

    def __init__(
        self,
        http: Callable[[], asyncio.Protocol],
        join: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None],
    ) -> None:
        self._http = http
        self._join = join
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream's is one
        self._transport = transport
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(_FIRST_LINE_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._head += data
        if _REQUEST_LINE.match(self._head):
            self._hand_over(self._http())
        elif b"\n" in self._head or len(self._head) > _LONGEST_SECRET:
            reader = asyncio.StreamReader()
            self._hand_over(asyncio.StreamReaderProtocol(reader, self._join))

    def _hand_over(self, protocol: asyncio.Protocol | asyncio.StreamReaderProtocol) -> None:
        self._patience.cancel()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._head)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._patience.cancel()
