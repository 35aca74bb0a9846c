"""The bridge's process: one profile, one loopback port, until it is told to stop.

It ends by itself when its profile is gone or has moved to another port.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
from contextlib import suppress
from typing import Final

from aiohttp import web

from haikube.bridge.authority import certificate_file
from haikube.bridge.front import Front, listeners
from haikube.bridge.profile import Login, LoginError, load
from haikube.bridge.relay import Relay
from haikube.bridge.rendezvous import join
from haikube.bridge.tokens import Tokens
from haikube.bridge.upstream import Upstream

_LOOK_SECONDS: Final = 20.0
_LONGEST_HEADER: Final = 64 << 10
_GRACE_SECONDS: Final = 2.0


def main() -> None:
    """Serve the profile that is the only argument."""
    _, profile = sys.argv
    try:
        login = load(profile)
        asyncio.run(serve(profile, listeners(login.port)))
    except (LoginError, OSError) as error:
        sys.exit(f"haikube connect: {error}")


async def serve(profile: str, sockets: list[socket.socket]) -> None:
    """Serve until SIGTERM or SIGINT, or until the profile no longer wants this port."""
    bridge = Bridge(profile)
    bridge.start(sockets)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    port = sockets[0].getsockname()[1]
    while not stopped.is_set() and _wanted(profile, port):
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _LOOK_SECONDS)
    await bridge.stop()


class Bridge:
    """The parts of one bridge."""

    def __init__(self, profile: str) -> None:
        self._tokens = Tokens(profile)
        self._profile = profile
        self._upstreams: dict[tuple[str, str], Upstream] = {}

    def start(self, sockets: list[socket.socket]) -> None:
        """Begin to serve on sockets that listen."""
        relay = Relay(self._tokens, self._upstream, self._profile)
        self._http = web.Server(
            relay,
            handler_cancellation=True,
            auto_decompress=False,
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            access_log=None,
        )
        self._front = Front(_tls(), self._http, self._meet)
        self._front.start(sockets)

    async def stop(self) -> None:
        """End all that is going on."""
        await self._front.stop()
        await self._http.shutdown(_GRACE_SECONDS)
        for upstream in self._upstreams.values():
            await upstream.close()

    def _upstream(self, login: Login) -> Upstream:
        where = (login.api, login.ca_file)
        if where not in self._upstreams:
            self._upstreams[where] = Upstream(login.ca_file)
        return self._upstreams[where]

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        login = load(self._profile)
        await join(self._upstream(login).session(), login, reader, writer)


def _tls() -> ssl.SSLContext:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate_file())
    return tls


def _wanted(profile: str, port: int) -> bool:
    try:
        return load(profile).port == port
    except LoginError:
        return False


if __name__ == "__main__":
    main()
