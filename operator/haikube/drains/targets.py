"""The two kinds of targets, and how a batch of lines gets there."""

from __future__ import annotations

import asyncio
import fcntl
import ssl
import termios
import uuid
from contextlib import suppress
from typing import Final, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from haikube.drains.frames import logplex_body, syslog_frames
from haikube.drains.guard import Forbidden, Guard
from haikube.logs.line import Line
from haikube.model.drain import Drain

_SECONDS: Final = 20.0
_CONNECT_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.005
_AGAIN: Final = frozenset({408, 425, 429})
_REFUSED: Final = 400
_BROKEN: Final = 500
_AGENT: Final = "Logplex/v72 (Haikube)"


class Late(Exception):
    """The batch did not arrive: send it again."""


class Unwanted(Exception):
    """The target does not want this batch, and will not want it later."""


class Target(Protocol):
    """Where batches go."""

    async def send(self, lines: list[Line]) -> None:
        """Deliver a batch; raises ``Late`` or ``Unwanted``."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


def target_of(drain: Drain, guard: Guard, tls: ssl.SSLContext) -> Target:
    """Return the target that the URL of a drain means."""
    return (
        HttpsTarget(drain, guard, tls)
        if drain.scheme == "https"
        else SyslogTarget(drain, guard, tls)
    )


class _Resolver(AbstractResolver):
    """Resolves for aiohttp, which connects to the very address that is returned."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """Return the address to connect to."""
        address = await self._guard.resolve(host, port)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Close nothing."""


class HttpsTarget:
    """POSTs batches in logplex framing; no redirect is followed."""

    def __init__(self, drain: Drain, guard: Guard, tls: ssl.SSLContext) -> None:
        self._drain = drain
        self._guard = guard
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def send(self, lines: list[Line]) -> None:
        """Deliver a batch."""
        try:
            await self._guard.resolve(self._drain.host, self._drain.port)  # addresses in URLs too
            status = await self._post(lines)
        except Forbidden as error:
            raise Late(str(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Late(type(error).__name__) from error
        if status in _AGAIN or status >= _BROKEN:
            raise Late(f"it answers {status}")
        if status >= _REFUSED:
            raise Unwanted(f"it answers {status}")

    async def _post(self, lines: list[Line]) -> int:
        headers = {
            "Content-Type": "application/logplex-1",
            "Logplex-Msg-Count": str(len(lines)),
            "Logplex-Frame-Id": uuid.uuid4().hex,
            "Logplex-Drain-Token": self._drain.token,
            "User-Agent": _AGENT,
        }
        async with self._opened().post(
            self._drain.url, data=logplex_body(lines), headers=headers, allow_redirects=False
        ) as answer:
            return answer.status

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=_Resolver(self._guard), use_dns_cache=False, ssl=self._tls, limit=1
            )
            timeout = aiohttp.ClientTimeout(total=_SECONDS, sock_connect=_CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self._session

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _confirmed(writer: asyncio.StreamWriter) -> None:
    """Return once the other end's kernel has everything; what ours holds is lost with us."""
    await writer.drain()
    socket = writer.get_extra_info("socket")
    while not writer.is_closing() and any(fcntl.ioctl(socket, termios.TIOCOUTQ, bytes(4))):  # noqa: ASYNC110 - the kernel tells nobody
        await asyncio.sleep(_LOOK_SECONDS)


class SyslogTarget:
    """One TLS stream of counted syslog messages, opened again when it breaks.

    Syslog confirms nothing: the batch before a break is sent once more.
    """

    def __init__(self, drain: Drain, guard: Guard, tls: ssl.SSLContext) -> None:
        self._drain = drain
        self._guard = guard
        self._tls = tls
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._before: list[Line] = []

    async def send(self, lines: list[Line]) -> None:
        """Deliver a batch: all of it is with the other end's kernel when this returns."""
        try:
            async with asyncio.timeout(_SECONDS):
                again = [] if self._streams else self._before
                reader, writer = await self._opened()
                if reader.at_eof():
                    raise ConnectionResetError
                writer.write(syslog_frames([*again, *lines], self._drain.token))
                await _confirmed(writer)
            self._before = lines
        except (OSError, TimeoutError, Forbidden) as error:
            await self.close()
            told = str(error) if isinstance(error, Forbidden) else type(error).__name__
            raise Late(told) from error

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            host, port = self._drain.host, self._drain.port
            address = await self._guard.resolve(host, port)
            self._streams = await asyncio.open_connection(
                address, port, ssl=self._tls, server_hostname=host
            )
            self._streams[1].transport.set_write_buffer_limits(0)
        return self._streams

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with suppress(OSError, TimeoutError, ssl.SSLError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()
