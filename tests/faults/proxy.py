"""A proxy on loopback that records every call, and lets a test decide what becomes of each.

It stands before the API server, where it gives the operator the identity of its ServiceAccount so
that its real rights count, or before the object storage.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
from aiohttp import web

from faults.plane import SYSTEM, Plane

OPERATOR = f"system:serviceaccount:{SYSTEM}:haikube-operator"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_IDENTITY = (
    ("Impersonate-User", OPERATOR),
    ("Impersonate-Group", "system:serviceaccounts"),
    ("Impersonate-Group", f"system:serviceaccounts:{SYSTEM}"),
    ("Impersonate-Group", "system:authenticated"),
)
_HOP = frozenset({"connection", "content-length", "transfer-encoding", "accept-encoding"})
"""Headers that concern one connection, or that would make an answer unreadable on its way."""

_OK = range(200, 300)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


_METADATA = "PartialObjectMetadataList"
_SILENT = logging.getLogger("faults.proxy")
_SILENT.disabled = True
"""That its clients vanish in the middle of a request is what a proxy is here for."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as an API server understands it; ``resource`` is empty for other servers."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def verb(self) -> str:
        """Return what an API server calls it."""
        if self.method in WRITES:
            return _VERBS[self.method]
        if self.query.get("watch") in {"1", "true"}:
            return "watch"
        return "get" if self.name else "list"

    @property
    def writes(self) -> bool:
        return self.method in WRITES


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the proxy's own; ``done`` says that the server was asked nevertheless."""

    status: int
    reason: str
    done: bool = False


Fault = Refusal | Literal["before", "after", "lost", "held"]
"""The client's process ends before or after the call, the answer is lost, or the call waits."""

Judge = Callable[[Call], Fault | None]


def parse(request: web.BaseRequest, body: bytes) -> Call:
    """Return the call in a request to an API server."""
    parts = request.path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else ("/".join(parts[1:2]), parts[3:])
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    plural, name, sub = (*rest, "", "", "")[:3]
    return Call(
        request.method,
        request.path,
        dict(request.query),
        body,
        group,
        f"{plural}/{sub}" if sub else plural,
        namespace,
        name,
    )


@dataclass
class Proxy:
    """One proxy; what it does at a call is up to ``judge``, and to ``kill`` and ``held``."""

    target: str
    tls: Any = None
    identity: tuple[tuple[str, str], ...] = ()
    calls: list[tuple[Call, int, Any]] = field(default_factory=list)
    """Each write and each refusal, with the status and the decoded answer."""

    rights: set[tuple[str, str, str]] = field(default_factory=set)
    """Group, resource and verb of all that was asked for."""

    judge: Judge = lambda _: None
    kill: Callable[[], Awaitable[None]] | None = None
    hides: Callable[[Call, bytes], bool] = lambda *_: False
    """Which lines of a watch its client does not get."""

    past: dict[str, bytes] = field(default_factory=dict)
    """What lists are answered with, each of them once."""

    lists: set[str] = field(default_factory=set)
    """Where the client has listed whole objects."""

    delay: float = 0.0
    """Seconds that a watch waits before it begins."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    last_write: float = 0.0
    led: float = 0.0
    """When the Lease was last written first after a start of the client."""

    _session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Serve as long as the context lasts."""
        connector = aiohttp.TCPConnector(limit=0, ssl=self.tls or True)
        endless = aiohttp.ClientTimeout(total=None)
        server = web.Server(self._handle, access_log=None, logger=_SILENT)
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        async with aiohttp.ClientSession(
            connector=connector, timeout=endless, auto_decompress=False, read_bufsize=1 << 22
        ) as self._session:
            try:
                yield self
            finally:
                await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = parse(request, await request.read())
        if self.identity:
            self.rights.add((call.group, call.resource, call.verb))
        if call.verb == "list" and _METADATA not in request.headers.get("Accept", ""):
            self.lists.add(request.raw_path)
            if shown := self.past.pop(request.raw_path, None):
                return web.Response(body=shown, content_type="application/json")
        if call.verb == "watch":
            await asyncio.sleep(self.delay)
        return await self._judged(request, call)

    async def _judged(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        fault = self.judge(call)
        match fault:
            case None:
                return await self._pass(request, call)
            case Refusal():
                return await self._refuse(request, call, fault)
            case "held":
                await self.go_on.wait()
                return await self._pass(request, call)
            case "before":
                await self._kill()
            case "after":
                await self._ask(request, call)
                await self._kill()
            case "lost":
                await self._ask(request, call)
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionAbortedError  # there is nobody to answer

    async def picture(self) -> dict[str, bytes]:
        """Return what all lists of the client would show now."""
        assert self._session is not None
        shown = {}
        for place in self.lists:
            url = aiohttp.client.URL(self.target + place, encoded=True)
            async with self._session.get(url, headers=self.identity) as answer:
                shown[place] = await answer.read()
        return shown

    async def _kill(self) -> None:
        assert self.kill is not None
        await self.kill()

    async def _refuse(self, request: web.BaseRequest, call: Call, how: Refusal) -> web.Response:
        if how.done:
            await self._ask(request, call)
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": how.status}
        return web.json_response(
            {**status, "reason": how.reason, "message": "put into its way"}, status=how.status
        )

    async def _ask(self, request: web.BaseRequest, call: Call) -> web.Response:
        """Ask the server, and return its answer as a whole."""
        async with self._forwarded(request, call) as answer:
            body = await answer.read()
            self._record(call, answer.status, body)
            return web.Response(status=answer.status, headers=_kept(answer.headers), body=body)

    async def _pass(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        if call.verb != "watch" and call.method != "HEAD":
            return await self._ask(request, call)
        async with self._forwarded(request, call) as answer:
            passed = web.StreamResponse(status=answer.status, headers=_kept(answer.headers))
            if call.method == "HEAD":
                passed.content_length = int(answer.headers.get("Content-Length", 0))
            await passed.prepare(request)
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                async for line in answer.content:
                    if not self.hides(call, line):
                        await passed.write(line)
            return passed

    @asynccontextmanager
    async def _forwarded(
        self, request: web.BaseRequest, call: Call
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._session is not None
        headers = [(key, text) for key, text in request.headers.items() if key.lower() not in _HOP]
        async with self._session.request(
            call.method,
            aiohttp.client.URL(self.target + request.raw_path, encoded=True),
            data=call.body or None,
            headers=[*headers, *self.identity, ("Accept-Encoding", "identity")],
            allow_redirects=False,
        ) as answer:
            yield answer

    def _record(self, call: Call, status: int, body: bytes) -> None:
        if not call.writes and status in _OK:
            return
        try:
            decoded = json.loads(body) if body else {}
        except ValueError:
            decoded = {}
        self.calls.append((call, status, decoded))
        now = asyncio.get_running_loop().time()
        if call.resource != "leases":
            self.last_write = now
        elif not self.led:
            self.led = now


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in headers.items() if key.lower() not in _HOP}


def tells(event: str, line: bytes) -> bool:
    """Tell whether a line of a watch is about such a thing as DELETED."""
    return line.startswith(b'{"type":"%s"' % event.encode())


def before_api_server(plane: Plane) -> Proxy:
    """Return a proxy whose client is the operator to the API server."""
    return Proxy(plane.server, plane.credentials().tls, _IDENTITY)
