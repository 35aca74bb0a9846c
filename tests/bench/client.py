"""A bare asynchronous client of the API server: the least that anybody could do, for comparison."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from haikube.cluster.identity import load
from haikube.model.resources import Resource
from haikube.operator.watched import WATCHED

AT_ONCE = 20
_TIMEOUT = aiohttp.ClientTimeout(total=120)
_REFUSED = 300

Json = dict[str, Any]


def path(resource: Resource, namespace: str = "", name: str = "", sub: str = "") -> str:
    """Return where objects of a kind are."""
    group = f"apis/{resource.group}" if resource.group else "api"
    place = f"/namespaces/{namespace}" if namespace else ""
    tail = "".join(f"/{part}" for part in (name, sub) if part)
    return f"/{group}/{resource.version}{place}/{resource.plural}{tail}"


class Bare:
    """Requests and answers, ``AT_ONCE`` of them at a time."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def call(
        self, method: str, address: str, body: Json | None = None, kind: str = "application/json"
    ) -> Json:
        """Return the answer to one request; a refusal ends the benchmark."""
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": kind}
        async with (
            self._slots,
            self._session.request(method, address, data=data, headers=headers) as answer,
        ):
            found: Json = await answer.json()
            assert answer.status < _REFUSED, f"{method} {address}: {found.get('message')}"
            return found

    async def text(self, address: str) -> str:
        """Return an answer that is no JSON."""
        async with self._session.get(address) as answer:
            return await answer.text()

    async def create(self, resource: Resource, body: Json, sub: str = "") -> Json:
        """Create an object, or replace its subresource."""
        metadata = body["metadata"]
        namespace = metadata.get("namespace", "")
        if sub:
            target = path(resource, namespace, metadata["name"], sub)
            return await self.call("PUT", target, body)
        return await self.call("POST", path(resource, namespace), body)

    async def patch(self, resource: Resource, namespace: str, name: str, body: Json) -> Json:
        """Merge-patch an object."""
        address = path(resource, namespace, name)
        return await self.call("PATCH", address, body, "application/merge-patch+json")

    async def patch_status(
        self, resource: Resource, namespace: str, name: str, status: Json
    ) -> Json:
        """Merge-patch the status of an object."""
        address = path(resource, namespace, name, "status")
        return await self.call("PATCH", address, {"status": status}, "application/merge-patch+json")

    async def items(self, resource: Resource, namespace: str = "", labels: str = "") -> list[Json]:
        """Return all objects of a kind, in pages of 500 as the operator reads them."""
        found: list[Json] = []
        token = ""
        while True:
            query = f"?limit=500&continue={token}&labelSelector={labels}"
            page = await self.call("GET", path(resource, namespace) + query)
            found += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                return found

    async def watch(self, resource: Resource, namespace: str, since: str) -> AsyncIterator[Json]:
        """Yield the events of a kind as they come."""
        query = f"?watch=true&resourceVersion={since}"
        address = path(resource, namespace) + query
        endless = aiohttp.ClientTimeout(total=None)
        async with self._session.get(address, timeout=endless) as answer:
            async for line in answer.content:
                yield json.loads(line)

    async def version(self, resource: Resource, namespace: str) -> str:
        """Return from where to watch a kind."""
        found = await self.call("GET", path(resource, namespace) + "?limit=1")
        return str(found["metadata"]["resourceVersion"])


async def timed(bodies: Iterable[tuple[Resource, Json]], client: Bare) -> float:
    """Return the seconds that creating these objects takes."""
    started = time.monotonic()
    await asyncio.gather(*(client.create(resource, body) for resource, body in bodies))
    return time.monotonic() - started


async def list_watched(client: Bare) -> float:
    """Return the seconds that listing what an operator lists at its start takes."""
    started = time.monotonic()
    for kind in WATCHED:
        await client.items(kind.resource, kind.namespace or "", quote(kind.labels))
    return time.monotonic() - started


@asynccontextmanager
async def bare_client(kubeconfig: Path | None = None) -> AsyncIterator[Bare]:
    """Open a client with the credentials of a kubeconfig, or of the one in the environment."""
    credentials = load(kubeconfig)
    connector = aiohttp.TCPConnector(limit=0, ssl=credentials.tls or True)
    token = await credentials.token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(
        credentials.server,
        connector=connector,
        headers=headers,
        timeout=_TIMEOUT,
        read_bufsize=1 << 24,
    ) as session:
        yield Bare(session)
