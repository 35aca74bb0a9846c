"""Kopf, reduced to what it is good at: watches that list, follow and never end. It writes nothing.

Each event goes from the stream into the store, in the order in which it comes. What kopf would do
with it (a task, a queue and a memory for each object, causes, handlers) is more than all of our own
work, so its streams are taken as they are. They are no public part of kopf: it is pinned, and
``tests/operator/test_kopfwatch.py`` runs them against a server.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import kopf
from kopf._cogs.clients import api, auth, errors, watching
from kopf._cogs.structs.credentials import Vault, VaultKey
from kopf._cogs.structs.references import Resource as Kind

from haikube.cluster.credentials import Credentials
from haikube.cluster.text import decoded
from haikube.engine.resync import Resync, Watched
from haikube.engine.store import Store
from haikube.model.resources import Resource
from haikube.operator.heard import Heard, heard_response

log = logging.getLogger(__name__)

_FIRST_BACKOFF = 1.0
_LONGEST_BACKOFF = 30.0
_LISTS = 2
"""Kinds that are listed at once: a page of objects is in memory whole, in many times its size."""

_BIT = 100
"""Events after which others get their turn: those of one chunk come without waiting for anybody."""

vars(api)["json"] = SimpleNamespace(loads=decoded)  # a third of what an event costs

Seen = Callable[[Resource], None]


class EndlessJitter:
    """Back-offs without end: an API server that is away must not end the process."""

    def __iter__(self) -> Iterator[float]:
        """Yield longer and longer pauses, none twice the same."""
        pause = _FIRST_BACKOFF
        while True:
            yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
            pause = min(pause * 2, _LONGEST_BACKOFF)


class OneSession(Vault):
    """The credentials of every watch: one session, which asks for its token at each request."""

    async def invalidate(self, key: VaultKey, info: Any, *, exc: Exception | None = None) -> None:  # noqa: ANN401 - kopf's types
        """Pass a refusal on, for to log in anew would change nothing."""
        del key, info
        raise exc or kopf.LoginError("the API server refuses our token")


class Watches:
    """Follows every kind; ``filled`` is set once all that there is has been seen."""

    def __init__(
        self, watched: tuple[Watched, ...], store: Store, resync: Resync, seen: Seen
    ) -> None:
        self._watched = watched
        self._store = store
        self._resync = resync
        self._seen = seen
        self._unlisted = {kind.resource for kind in watched}
        self._pauses = {kind.resource: iter(EndlessJitter()) for kind in watched}
        self._turns = asyncio.Semaphore(_LISTS)
        self.filled = asyncio.Event()

    async def run(self, credentials: Credentials, heard: Heard) -> None:
        """Follow until cancelled; raises when an event cannot be taken in."""
        settings = kopf_settings(self._watched)
        async with _session(credentials, heard) as session:
            auth.vault_var.set(OneSession({"haikube": session}))
            follow = (self._follow(kind.resource, settings) for kind in self._watched)
            tasks = [asyncio.create_task(each) for each in follow]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()

    async def _follow(self, resource: Resource, settings: kopf.OperatorSettings) -> None:
        while True:
            try:
                await self._take_in(resource, settings)
            except (watching.WatchingError, errors.APIError, aiohttp.ClientError) as error:
                log.warning("the watch of %s broke, and begins anew: %r", resource.plural, error)
            await asyncio.sleep(next(self._pauses[resource]))

    async def _take_in(self, resource: Resource, settings: kopf.OperatorSettings) -> None:
        stream = watching.infinite_watch(
            settings=settings, resource=_kind(resource), namespace=None
        )
        if resource in self._unlisted:
            async with self._turns:
                await self._read(resource, stream, once=True)
        await self._read(resource, stream)

    async def _read(
        self, resource: Resource, stream: AsyncIterator[Any], *, once: bool = False
    ) -> None:
        """Take in what a stream tells; ``once`` until it has listed all that there is."""
        number = 0
        async for event in stream:
            number += 1
            if isinstance(event, watching.Bookmark):
                self._listed(resource)
                if once:
                    return
            elif event["type"] != "BOOKMARK":
                self._take(resource, event)
            if number % _BIT == 0:
                await asyncio.sleep(0)

    def _take(self, resource: Resource, event: Any) -> None:  # noqa: ANN401 - kopf's types
        """Put one event into the store."""
        self._seen(resource)
        self._store.put(resource, event["type"], event["object"])

    def _listed(self, resource: Resource) -> None:
        """Note that a kind has been read whole; what went while nobody watched it is not told."""
        self._pauses[resource] = iter(EndlessJitter())
        if resource not in self._unlisted:
            self._resync.soon(resource)
            return
        self._unlisted.discard(resource)
        if not self._unlisted:
            self.filled.set()


def kopf_settings(watched: tuple[Watched, ...]) -> kopf.OperatorSettings:
    """Return the settings of kopf's watches; what each is for is in docs/decisions."""
    settings = kopf.OperatorSettings()
    settings.watching.chunk_size = 200
    settings.watching.server_timeout = 600
    settings.watching.connect_timeout = 10
    for kind in watched:
        if kind.labels:
            place = (kind.resource.group, kind.resource.version, kind.resource.plural)
            settings.watching.label_selectors[place] = kind.labels
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = EndlessJitter()
    settings.networking.enforce_retry_after = True
    return settings


def _kind(resource: Resource) -> Kind:
    """Return a kind as kopf knows it."""
    return Kind(
        resource.group,
        resource.version,
        resource.plural,
        kind=resource.kind,
        namespaced=resource.namespaced,
    )


@asynccontextmanager
async def _session(credentials: Credentials, heard: Heard) -> AsyncIterator[kopf.AiohttpSession]:
    """Open kopf's connections with our credentials, our token as it is renewed, and our ears."""

    async def authorize(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if token := await credentials.token():
            request.headers["Authorization"] = f"Bearer {token}"
        return await handler(request)

    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=credentials.tls or True),
        headers={"User-Agent": "haikube-operator"},
        response_class=heard_response(heard),
        middlewares=(authorize,),
    ) as session:
        yield kopf.AiohttpSession(server=credentials.server, aiohttp_session=session)
