"""Connections to the platform's api, which may lie behind a sleep or a lost network.

Dead peers are found in half a minute by the kernel, also on streams that say nothing. After a
sleep no connection of before is used again: the other end has forgotten it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

import aiohttp

from haikube.bridge.resolving import LocalhostResolver

_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=900)
_IDLE_SECONDS: Final = 30
_SLEPT_SECONDS: Final = 5.0
_UNANSWERED_MS: Final = 30_000
_PROBES: Final = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
_CONNECTIONS: Final = 200


class Upstream:
    """A pool of connections, renewed when the machine has slept."""

    def __init__(
        self,
        ca_file: str,
        clock: Callable[[], float] = time.time,
        awake: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tls = ssl.create_default_context(cafile=ca_file or None)
        self._clock = clock
        self._awake = awake
        self._drift = clock() - awake()
        self._sessions: list[aiohttp.ClientSession] = []

    def session(self) -> aiohttp.ClientSession:
        """Return the pool to use now; what streams in an older one goes on."""
        drift = self._clock() - self._awake()
        slept = abs(drift - self._drift) > _SLEPT_SECONDS
        self._drift = drift
        if slept or not self._sessions:
            self._sessions.append(_session(self._tls))
        return self._sessions[-1]

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(session.close() for session in self._sessions))
        self._sessions.clear()


def _session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=LocalhostResolver(),
        ssl=tls,
        limit=_CONNECTIONS,
        keepalive_timeout=_IDLE_SECONDS,
        socket_factory=_watched,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=_TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
    )


def _watched(address: aiohttp.AddrInfoType) -> socket.socket:
    """Return a socket whose other end is found dead within half a minute, sleep or not."""
    family, kind, proto, _, _ = address
    made = socket.socket(family, kind, proto)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {**_PROBES, "TCP_USER_TIMEOUT": _UNANSWERED_MS}
    for name, value in options.items():
        if number := getattr(socket, name, None):  # macOS lacks some
            made.setsockopt(socket.IPPROTO_TCP, number, value)
    return made
