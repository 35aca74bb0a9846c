"""Kopf only watches: its streams, run against a server, go into the store and never end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import islice

import pytest
from aiohttp import web

from haikube.cluster.credentials import Credentials, static_token
from haikube.cluster.fake import FakeCluster
from haikube.cluster.port import Json
from haikube.engine.clock import FakeClock
from haikube.engine.resync import Resync, Watched
from haikube.engine.store import Store
from haikube.model.resources import APPS, PODS, Resource
from haikube.operator import kopfwatch
from haikube.operator.kopfwatch import EndlessJitter, Watches, kopf_settings
from haikube.operator.watched import WATCHED, new_store
from stage import settings

KINDS = (Watched(APPS), Watched(PODS, "ours"))
PATIENCE = 10.0


class Server:
    """Lists and watches of two kinds, as an API server answers them."""

    def __init__(self) -> None:
        self.apps = [_app("one", 1), _app("two", 2)]
        self.events: asyncio.Queue[Json | None] = asyncio.Queue()
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.refusals: list[int] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.tokens.add(request.headers["Authorization"])
        self.asked.append(f"{request.path.rpartition('/')[2]}?{request.query_string}")
        if self.refusals:
            return web.json_response({"code": self.refusals[0]}, status=self.refusals.pop())
        pods = request.path.endswith("pods")
        if "watch" not in request.query:
            items = [] if pods else self.apps
            listing = {"kind": "AppList", "apiVersion": "haikube.dev/v1alpha1", "items": items}
            return web.json_response({**listing, "metadata": {"resourceVersion": "5"}})
        response = web.StreamResponse()
        await response.prepare(request)
        while event := await (asyncio.Event().wait() if pods else self.events.get()):
            await response.write(json.dumps(event).encode() + b"\n")
        return response


def _app(name: str, version: int) -> Json:
    metadata = {"name": name, "namespace": "n", "uid": name, "resourceVersion": str(version)}
    return {"kind": "App", "metadata": metadata}


class Scene:
    """Watches of a server."""

    def __init__(self) -> None:
        self.server = Server()
        self.store: Store = new_store(settings())
        self.heard: list[str] = []
        self.seen: list[Resource] = []
        self.wishes: list[Resource] = []
        resync = Resync(FakeCluster(), self.store, KINDS, lambda _: None, FakeClock(), seconds=600)
        resync.soon = self._wish  # type: ignore[method-assign]
        self.news = asyncio.Event()
        self.store.listener = lambda *_: self.news.set()
        self.watches = Watches(KINDS, self.store, resync, self.seen.append)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        app = web.Application()
        app.router.add_get("/{rest:.*}", self.server.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        credentials = Credentials(address, static_token("t0ken"))
        task = asyncio.create_task(self.watches.run(credentials, self.heard.append))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await runner.cleanup()

    def _wish(self, resource: Resource) -> None:
        self.wishes.append(resource)
        self.news.set()

    def knows(self, name: str) -> bool:
        return self.store.get(APPS, "n", name) is not None

    async def until(self, so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not so():
                self.news.clear()
                await self.news.wait()


async def test_what_there_is_and_what_happens_goes_into_the_store() -> None:
    scene = Scene()
    async with scene.running():
        await asyncio.wait_for(scene.watches.filled.wait(), PATIENCE)
        first = [each["metadata"]["name"] for each in scene.store.list(APPS)]
        scene.server.events.put_nowait({"type": "ADDED", "object": _app("three", 6)})
        scene.server.events.put_nowait({"type": "DELETED", "object": _app("one", 7)})
        await scene.until(lambda: scene.knows("three"))
        await scene.until(lambda: not scene.knows("one"))

    assert first == ["one", "two"]
    assert scene.server.tokens == {"Bearer t0ken"}
    assert set(scene.seen) == {APPS}
    assert scene.wishes == []
    assert any("labelSelector=ours" in each for each in scene.server.asked)


async def test_a_bookmark_is_heard_and_nothing_else() -> None:
    scene = Scene()
    async with scene.running():
        await asyncio.wait_for(scene.watches.filled.wait(), PATIENCE)
        before = len(scene.heard)
        bookmark = {"kind": "App", "metadata": {"resourceVersion": "9"}}
        scene.server.events.put_nowait({"type": "BOOKMARK", "object": bookmark})
        scene.server.events.put_nowait({"type": "ADDED", "object": _app("three", 10)})
        await scene.until(lambda: scene.knows("three"))

    assert len(scene.heard) > before
    assert set(scene.heard) == {"/apis/haikube.dev/v1alpha1/apps", "/api/v1/pods"}


@pytest.mark.parametrize("code", [410, 500])
async def test_a_watch_that_begins_anew_asks_for_a_comparison(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kopfwatch, "_FIRST_BACKOFF", 0.01)
    scene = Scene()
    async with scene.running():
        await asyncio.wait_for(scene.watches.filled.wait(), PATIENCE)
        scene.server.apps.append(_app("three", 6))
        scene.server.events.put_nowait({"type": "ERROR", "object": {"code": code}})
        await scene.until(lambda: scene.knows("three"))
        await scene.until(lambda: scene.wishes)

    assert scene.wishes == [APPS]


async def test_a_token_that_is_refused_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kopfwatch, "_FIRST_BACKOFF", 0.01)
    scene = Scene()
    scene.server.refusals = [401, 401]
    async with scene.running():
        await asyncio.wait_for(scene.watches.filled.wait(), PATIENCE)

    assert len(scene.store.list(APPS)) == 2


async def test_an_event_that_cannot_be_taken_in_ends_the_watches() -> None:
    scene = Scene()
    async with scene.running() as task:
        await asyncio.wait_for(scene.watches.filled.wait(), PATIENCE)
        scene.server.events.put_nowait({"type": "ADDED", "object": {"metadata": {}}})
        with pytest.raises(KeyError, match="uid"):
            await asyncio.wait_for(task, PATIENCE)


def test_settings_are_those_that_were_measured() -> None:
    found = kopf_settings(WATCHED)

    assert (found.watching.chunk_size, found.watching.server_timeout) == (200, 600)
    assert found.networking.enforce_retry_after
    labels = {str(key): text for key, text in found.watching.label_selectors.items()}
    assert len(labels) == len([each for each in WATCHED if each.labels])


def test_back_offs_never_end_and_stay_in_bounds() -> None:
    pauses = list(islice(EndlessJitter(), 50))

    assert all(0.5 <= each <= 30 for each in pauses)
    assert pauses[20] >= 15
    assert next(iter(EndlessJitter())) <= 1
