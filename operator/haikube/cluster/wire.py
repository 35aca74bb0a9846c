"""Short calls over HTTP/1.1: connections that stay open, with one request at a time on each.

An operator makes hundreds of calls a second, and a client for everything spends most of its time on
what none of them needs: cookies, redirections, proxies, streams. Here is what they need. How HTTP
is read is the affair of ``httptools``; whatever lasts (watches, logs, sockets) is not for here.

A call is made once. Only one that found its connection closed before a byte of an answer came, and
that may be repeated, goes over another connection.
"""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 15.0
"""A server may close what is idle for long; a request that crosses that has an unknown end."""

_FIRST_FINAL = 200
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


@dataclass(slots=True)
class Answer:
    """What came back; the names of ``headers`` are in small letters."""

    status: int = 0
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Wire:
    """The connections to one server, ``limit`` at most, as whoever ``tls`` says that we are."""

    def __init__(
        self, server: str, tls: ssl.SSLContext | None, hostname: str | None, *, limit: int
    ) -> None:
        parts = urlsplit(server)
        safe = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if safe else 80)
        self._tls = (tls or ssl.create_default_context()) if safe else None
        self._name = (hostname or self._host) if safe else None
        self._idle: list[_Connection] = []
        self._places = asyncio.Semaphore(limit)
        self.prefix = parts.path.rstrip("/")
        self.authority = parts.netloc.rpartition("@")[2]

    async def call(self, request: bytes, *, again: bool, seconds: float) -> Answer:
        """Send a whole request; ``again`` allows to repeat it. Raises ``OSError``.

        An answer has ``seconds`` to arrive whole, and ends in ``TimeoutError`` after them.
        """
        async with self._places:
            kept = self._kept()
            if kept is not None:
                try:
                    return await self._ask(kept, request, seconds)
                except ConnectionError:
                    if not again or kept.heard:
                        raise
            return await self._ask(await self._connect(), request, seconds)

    def close(self) -> None:
        """Close all connections."""
        for each in self._idle:
            each.abort()
        self._idle.clear()

    def _kept(self) -> _Connection | None:
        """Return an open connection that was used a moment ago."""
        since = time.monotonic() - IDLE_SECONDS
        while self._idle:
            found = self._idle.pop()
            if found.is_open and found.used > since:
                return found
            found.abort()
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            _, made = await loop.create_connection(
                _Connection, self._host, self._port, ssl=self._tls, server_hostname=self._name
            )
        return made

    async def _ask(self, connection: _Connection, request: bytes, seconds: float) -> Answer:
        try:
            answer = await connection.ask(request, seconds)
        except BaseException:  # cancelled too: the answer may still be on its way
            connection.abort()
            raise
        if connection.is_open:
            self._idle.append(connection)
        return _plain(answer)


class _Connection(asyncio.Protocol):
    """One connection; knows the answer that it waits for."""

    def __init__(self) -> None:
        self.is_open = False
        self.used = 0.0
        self.heard = False
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._patience = self._deadline = 0.0
        self._answer = Answer()
        self._parts: list[bytes] = []
        self._ends_with_connection = False

    def ask(self, request: bytes, seconds: float) -> asyncio.Future[Answer]:
        """Send a request; returns its answer, ``ConnectionError`` or ``TimeoutError``."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting = loop.create_future()
        self._patience, self._deadline = seconds, loop.time() + seconds
        self._watch_over(loop)
        self.heard = False
        if self.is_open:
            self._transport.write(request)
        else:
            self._fail(ConnectionError("the connection is closed"))
        return waiting

    def abort(self) -> None:
        """Close it at once."""
        self.is_open = False
        self._transport.abort()

    def _watch_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look when the answer is due; the look that is planned serves all calls until then."""
        if self._timer is not None and self._timer.when() <= self._deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._deadline:
            self._watch_over(loop)
        else:
            self._fail(TimeoutError(f"after {self._patience:g} s"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        self.heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"what came is no HTTP: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        """End; a body without a length ends with its connection."""
        self.is_open = False
        if self._ends_with_connection and error is None:
            self.on_message_complete()
        self._fail(ConnectionError(f"the connection was lost: {error or 'closed by the server'}"))
        if self._timer is not None:
            self._timer.cancel()

    def on_message_begin(self) -> None:
        """Begin an answer; none may come unasked."""
        self._answer, self._parts = Answer(), []
        if self._waiting is None:
            self.abort()

    def on_status(self, status: bytes) -> None:
        """Note the reason."""
        self._answer.reason += status.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header."""
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Note how the body will end."""
        known = {"content-length", "transfer-encoding"} & self._answer.headers.keys()
        self._answer.status = self._parser.get_status_code()
        self._ends_with_connection = not known

    def on_body(self, part: bytes) -> None:
        """Note a part of the body."""
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """Hand the answer over; one before the final one is of no interest."""
        self._ends_with_connection = False
        if self._answer.status < _FIRST_FINAL:
            return
        if not self._parser.should_keep_alive():
            self.abort()
        self.used = time.monotonic()
        self._answer.body = b"".join(self._parts)
        if (waiting := self._awaited()) is not None:
            waiting.set_result(self._answer)

    def _fail(self, error: OSError) -> None:
        self.is_open = False
        if (waiting := self._awaited()) is not None:
            waiting.set_exception(error)

    def _awaited(self) -> asyncio.Future[Answer] | None:
        """Return who waits for an answer, who then waits no more."""
        waiting, self._waiting = self._waiting, None
        return None if waiting is None or waiting.done() else waiting


def _plain(answer: Answer) -> Answer:
    """Unpack the body."""
    if answer.headers.get("content-encoding") in {"gzip", "deflate"}:
        try:
            answer.body = zlib.decompress(answer.body, _GZIP_OR_ZLIB)
        except zlib.error as error:
            raise ConnectionError(f"the answer cannot be unpacked: {error}") from error
    return answer
