"""Kopf, reduced to what it is good at: login, discovery and watches. It never writes anything.

One function takes every event of every kind and puts it into the store. There are no handlers of
changes, no timers, no daemons and no indexes: ``assert_only_events`` holds us to that, for with
the empty storages below they would not work.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import kopf

from haikube.cluster.credentials import Credentials
from haikube.engine.resync import Resync, Watched
from haikube.engine.store import Store
from haikube.model.resources import GROUP, Resource
from haikube.operator.heard import Heard, heard_response

_FIRST_BACKOFF = 1.0
_LONGEST_BACKOFF = 30.0

Seen = Callable[[Resource], None]


class NullDiffBase(kopf.DiffBaseStorage):
    """No essence is ever kept: nobody asks for a diff."""

    def build(self, *, body: Any, extra_fields: Any = None) -> Any:  # noqa: ANN401 - kopf's types
        """Return nothing to compare."""
        del body, extra_fields
        return {}

    def fetch(self, *, body: Any) -> Any:  # noqa: ANN401 - kopf's types
        """Return that nothing was kept."""
        del body

    def store(self, *, body: Any, patch: Any, essence: Any) -> None:  # noqa: ANN401 - kopf's types
        """Keep nothing."""


class NullProgress(kopf.ProgressStorage):
    """No progress is ever kept: events are handled at once or not at all."""

    def fetch(self, *, key: Any, body: Any) -> Any:  # noqa: ANN401 - kopf's types
        """Return that nothing is under way."""
        del key, body

    def store(self, *, key: Any, record: Any, body: Any, patch: Any) -> None:  # noqa: ANN401 - kopf's types
        """Keep nothing."""

    def purge(self, *, key: Any, body: Any, patch: Any) -> None:  # noqa: ANN401 - kopf's types
        """Forget nothing."""

    def touch(self, *, body: Any, patch: Any, value: Any) -> None:  # noqa: ANN401 - kopf's types
        """Touch nothing."""

    def clear(self, *, essence: Any) -> Any:  # noqa: ANN401 - kopf's types
        """Return an essence as it is."""
        return essence


class EndlessJitter:
    """Back-offs without end: an API server that is away must not end the process."""

    def __iter__(self) -> Iterator[float]:
        """Yield longer and longer pauses, none twice the same."""
        pause = _FIRST_BACKOFF
        while True:
            yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
            pause = min(pause * 2, _LONGEST_BACKOFF)


def kopf_settings(watched: tuple[Watched, ...]) -> kopf.OperatorSettings:
    """Return kopf's settings; craft notes behind each are in docs/decisions."""
    settings = kopf.OperatorSettings()
    settings.persistence.progress_storage = NullProgress()
    settings.persistence.diffbase_storage = NullDiffBase()
    settings.persistence.finalizer = f"{GROUP}/unused"
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
    settings.queueing.worker_limit = None
    settings.queueing.idle_timeout = 0.1
    settings.posting.enabled = False
    settings.scanning.disabled = False
    settings.peering.standalone = True
    settings.execution.max_workers = 4
    return settings


def kopf_registry(
    watched: tuple[Watched, ...], store: Store, resync: Resync, seen: Seen
) -> kopf.OperatorRegistry:
    """Return a registry with one handler of events per kind, all the same."""
    registry = kopf.OperatorRegistry()
    for kind in watched:
        resource = kind.resource
        kopf.on.event(
            resource.group,
            resource.version,
            resource.plural,
            id=resource.plural,
            registry=registry,
        )(_handler(resource, store, resync, seen))
    return registry


def _handler(
    resource: Resource, store: Store, resync: Resync, seen: Seen
) -> Callable[..., Awaitable[None]]:
    started = asyncio.get_running_loop().time()

    async def on_event(event: Any, **_: object) -> None:  # noqa: ANN401 - kopf's types
        seen(resource)
        body = dict(event["object"])
        known = store.get(resource, body["metadata"].get("namespace"), body["metadata"]["name"])
        store.put(resource, event["type"], body)
        late = asyncio.get_running_loop().time() - started > _LONGEST_BACKOFF
        if event["type"] is None and known is not None and late:
            resync.soon(resource)  # the watch began anew: deletions may have been missed

    return on_event


def assert_only_events(registry: kopf.OperatorRegistry) -> None:
    """Raise if anything but event handlers is registered."""
    others: dict[str, Any] = {
        "changes": registry._changing,  # noqa: SLF001 - kopf offers no other way to ask
        "timers and daemons": registry._spawning,  # noqa: SLF001 - the same
        "indexes": registry._indexing,  # noqa: SLF001 - the same
        "admission": registry._webhooks,  # noqa: SLF001 - the same
    }
    for what, handlers in others.items():
        if list(handlers.get_all_handlers()):
            raise AssertionError(
                f"kopf handlers of {what} are registered; use on.event only, see kopfwatch.py"
            )


def add_login(registry: kopf.OperatorRegistry, credentials: Credentials, heard: Heard) -> None:
    """Let kopf use our credentials, our TLS, our token as it is renewed, and our ears."""

    async def authorize(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if token := await credentials.token():
            request.headers["Authorization"] = f"Bearer {token}"
        return await handler(request)

    async def login(**_: object) -> kopf.AiohttpSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=credentials.tls or True),
            headers={"User-Agent": "haikube-operator"},
            response_class=heard_response(heard),
            middlewares=(authorize,),
        )
        return kopf.AiohttpSession(server=credentials.server, aiohttp_session=session)

    kopf.on.login(registry=registry)(login)
