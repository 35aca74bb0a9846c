"""Kopf only watches: settings as measured, one handler per kind, nothing that writes."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any

import kopf
import pytest
from aiohttp import web

from haikube.cluster.credentials import Credentials, static_token
from haikube.cluster.fake import FakeCluster
from haikube.engine.clock import FakeClock
from haikube.engine.resync import Resync
from haikube.engine.store import Store
from haikube.model.resources import APPS, PODS, Resource
from haikube.operator.kopfwatch import (
    EndlessJitter,
    NullDiffBase,
    NullProgress,
    add_login,
    assert_only_events,
    kopf_registry,
    kopf_settings,
)
from haikube.operator.watched import WATCHED, new_store
from stage import settings


def registry(store: Store, seen: list[Resource]) -> kopf.OperatorRegistry:
    resync = Resync(FakeCluster(), store, WATCHED, lambda: None, FakeClock(), seconds=600)
    return kopf_registry(WATCHED, store, resync, seen.append)


async def test_every_kind_has_one_handler_of_events_and_nothing_else() -> None:
    found = registry(new_store(settings()), [])

    assert_only_events(found)
    assert len(list(found._watching.get_all_handlers())) == len(WATCHED)


async def test_a_handler_of_changes_is_noticed() -> None:
    found = registry(new_store(settings()), [])

    @kopf.on.create("apps", registry=found)
    def create(**_: Any) -> None: ...

    with pytest.raises(AssertionError, match="changes"):
        assert_only_events(found)


async def test_an_event_goes_into_the_store_and_nowhere_else() -> None:
    store, seen = new_store(settings()), []  # type: Store, list[Resource]
    handlers = registry(store, seen)._watching.get_all_handlers()
    handler: Any = next(each for each in handlers if each.id == "apps")
    metadata = {"name": "x", "namespace": "n", "uid": "u", "resourceVersion": "1"}
    body = {"kind": "App", "metadata": metadata}
    await handler.fn(event={"type": "ADDED", "object": body})

    assert store.get(APPS, "n", "x") is not None
    assert seen == [APPS]


def test_settings_are_those_that_were_measured() -> None:
    found = kopf_settings(WATCHED)

    assert isinstance(found.persistence.progress_storage, NullProgress)
    assert isinstance(found.persistence.diffbase_storage, NullDiffBase)
    assert (found.watching.chunk_size, found.watching.server_timeout) == (200, 600)
    assert (found.queueing.worker_limit, found.queueing.idle_timeout) == (None, 0.1)
    assert (found.posting.enabled, found.peering.standalone) == (False, True)
    assert found.networking.enforce_retry_after
    labels = {str(key): text for key, text in found.watching.label_selectors.items()}
    assert len(labels) == len([each for each in WATCHED if each.labels])


def test_the_storages_keep_nothing() -> None:
    diff, progress = NullDiffBase(), NullProgress()
    nothing: Any = None

    assert diff.build(body=nothing) == {}
    diff.store(body=nothing, patch=nothing, essence=nothing)
    progress.store(key=nothing, record=nothing, body=nothing, patch=nothing)
    progress.purge(key=nothing, body=nothing, patch=nothing)
    progress.touch(body=nothing, patch=nothing, value=nothing)
    assert progress.clear(essence={"a": 1}) == {"a": 1}


def test_back_offs_never_end_and_stay_in_bounds() -> None:
    pauses = list(islice(EndlessJitter(), 50))

    assert all(0.5 <= each <= 30 for each in pauses)
    assert pauses[20] >= 15
    assert next(iter(EndlessJitter())) <= 1


async def test_kopf_uses_our_token_and_its_watches_are_heard() -> None:
    heard: list[str] = []
    tokens: list[str] = []

    async def watch(request: web.Request) -> web.StreamResponse:
        tokens.append(request.headers["Authorization"])
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"type": "BOOKMARK"}\n')
        return response

    app = web.Application()
    app.router.add_get("/api/v1/pods", watch)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # asyncio's server
    found = kopf.OperatorRegistry()
    add_login(found, Credentials(f"http://127.0.0.1:{port}", static_token("t0ken")), heard.append)
    (handler,) = found._activities.get_all_handlers()
    session: Any = await handler.fn()  # type: ignore[call-arg, misc]  # kopf would add its own
    try:
        url = f"{session.server}/api/v1/pods?watch=true"
        async with session.aiohttp_session.get(url) as response:
            chunks = [chunk async for chunk in response.content.iter_chunked(100)]
    finally:
        await session.aiohttp_session.close()
        await runner.cleanup()

    assert chunks == [b'{"type": "BOOKMARK"}\n']
    assert tokens == ["Bearer t0ken"]
    assert heard == ["/api/v1/pods", "/api/v1/pods"]


async def test_a_watch_that_begins_anew_asks_for_a_comparison() -> None:
    store = new_store(settings())
    wishes: list[Resource] = []

    class Wishing(Resync):
        def soon(self, resource: Resource) -> None:
            wishes.append(resource)

    resync = Wishing(FakeCluster(), store, WATCHED, lambda: None, FakeClock(), seconds=600)
    handlers = kopf_registry(WATCHED, store, resync, lambda _: None)._watching.get_all_handlers()
    handler: Any = next(each for each in handlers if each.id == "pods")
    metadata = {"name": "x", "namespace": "n", "uid": "u", "resourceVersion": "1"}
    event = {"type": None, "object": {"kind": "Pod", "metadata": metadata}}
    loop = asyncio.get_running_loop()
    await handler.fn(event=event)
    first = list(wishes)
    start, loop.time = loop.time(), lambda: start + 60  # type: ignore[method-assign]  # later
    await handler.fn(event=event)

    assert (first, wishes) == ([], [PODS])
