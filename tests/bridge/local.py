"""A bridge on loopback before a platform that records what reaches it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from haikube.bridge.profile import Login

KEY = "haikube-key-of-this-machine"
TOKEN = "the-real-token"

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def _echo(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response({"method": request.method, "path": request.raw_path})


@dataclass
class Upstream:
    """The platform as a test scripts it."""

    handler: Handler = _echo
    seen: list[web.BaseRequest] = field(default_factory=list)
    url: str = ""

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        return await self.handler(request)

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[int]:
        runner = web.ServerRunner(web.Server(self))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        chosen = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{chosen}"
        try:
            yield chosen
        finally:
            await runner.cleanup()


@dataclass
class Local:
    """The bridge, and what a client of this machine needs for it."""

    login: Login
    port: int
    tls: ssl.SSLContext

    @property
    def http(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def https(self) -> str:
        return f"https://localhost:{self.port}"

    async def dial(self, *, tls: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            "127.0.0.1",
            self.port,
            ssl=self.tls if tls else None,
            server_hostname="localhost" if tls else None,
        )


def a_login(api: str) -> Login:
    return Login(
        api=api,
        token=TOKEN,
        expires_at="",
        namespace="default",
        kubeconfig="",
        service_account="",
        port=1,
        key=KEY,
    )
