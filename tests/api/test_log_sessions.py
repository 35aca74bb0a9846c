"""``heroku logs`` over HTTP: the link, what it shows, and to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from haikube.api.rooms import logs
from haikube.cluster.port import Json
from haikube.model.resources import APPS, PODS
from world import NAMESPACE, TOKEN, USER, World, running

EVENTS = {"Accept": "text/event-stream"}
SOON = 5.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running() as platform, aiohttp.request("GET", f"{platform.url}/readyz"):
        yield platform


@pytest.fixture
async def http(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        assert world.url
        yield session


async def dyno(world: World, app: Json, name: str = "web.1") -> asyncio.Queue[bytes | None]:
    """Put in a dyno that runs, and return the queue of what it prints."""
    pod = f"hello-{name.replace('.', '-')}"
    labels = {
        "haikube.dev/app": "hello",
        "haikube.dev/app-uid": app["metadata"]["uid"],
        "haikube.dev/component": "dyno",
    }
    running_since = {"running": {"startedAt": "2026-01-01T00:00:01Z"}}
    world.cluster.seed(
        PODS,
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": pod,
                "namespace": NAMESPACE,
                "labels": labels,
                "annotations": {"haikube.dev/dyno": name},
            },
            "spec": {"containers": [{"name": "dyno", "args": ["x"], "env": []}]},
            "status": {
                "phase": "Running",
                "containerStatuses": [{"containerID": "c1", "state": running_since}],
            },
        },
    )
    observed = world.app.state.context.observed
    assert await observed.until(lambda: observed.get(PODS, NAMESPACE, pod), SOON)
    return world.cluster.pods.setdefault(pod, asyncio.Queue())


async def seen(world: World, name: str = "hello") -> Json:
    """Put an App in that the api knows."""
    app = world.cluster.app(name)
    observed = world.app.state.context.observed
    assert await observed.until(lambda: observed.get(APPS, NAMESPACE, name), SOON)
    return app


async def link(world: World, http: aiohttp.ClientSession, **wish: Any) -> str:
    async with http.post(f"{world.url}/apps/hello/log-sessions", json=wish) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["logplex_url"])


def printed(second: int, text: str) -> bytes:
    return f"2026-01-01T00:00:{second:02}.000000000Z {text}\n".encode()


async def test_the_link_shows_the_log_without_credentials_and_ends(
    world: World, http: aiohttp.ClientSession
) -> None:
    log = await dyno(world, await seen(world))
    for each in (printed(1, "one"), printed(2, "two\rforged"), None):
        log.put_nowait(each)
    url = await link(world, http, lines=10, source="app")
    async with aiohttp.ClientSession() as nobody, nobody.get(url, headers=EVENTS) as answer:
        assert answer.content_type == "text/event-stream"
        text = await answer.text()

    assert text.startswith("retry: 1\n\n")
    assert [line for line in text.splitlines() if line.startswith("data")] == [
        "data: 2026-01-01T00:00:01.000000+00:00 app[web.1]: one",
        "data: 2026-01-01T00:00:02.000000+00:00 app[web.1]: two",
        "data: 2026-01-01T00:00:02.000000+00:00 app[web.1]: forged",
    ]


async def test_plain_text_is_for_clients_that_ask_for_nothing_else(
    world: World, http: aiohttp.ClientSession
) -> None:
    log = await dyno(world, await seen(world))
    for each in (printed(1, "one"), printed(2, "two"), None):
        log.put_nowait(each)
    async with http.get(await link(world, http, lines=1, source="app")) as answer:
        assert answer.content_type == "text/plain"
        assert await answer.text() == "2026-01-01T00:00:02.000000+00:00 app[web.1]: two\n"


async def follow(answer: aiohttp.ClientResponse, wanted: str) -> list[str]:
    """Read up to the line that holds a text."""
    lines: list[str] = []
    async with asyncio.timeout(SOON):
        async for raw in answer.content:
            lines.append(raw.decode().rstrip("\n"))
            if wanted in lines[-1]:
                return lines
    raise AssertionError(lines)


async def test_a_tail_goes_on_and_a_reader_who_comes_back_misses_nothing(
    world: World, http: aiohttp.ClientSession
) -> None:
    log = await dyno(world, await seen(world))
    for each in (printed(1, "old"), None, printed(1, "old"), printed(2, "new")):
        log.put_nowait(each)
    url = await link(world, http, tail=True, source="app")
    async with http.get(url, headers=EVENTS) as answer:
        lines = [*await follow(answer, "new"), *await follow(answer, "id: ")]
    event = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")][-1]
    world.cluster.pods["hello-web-1"] = again = asyncio.Queue()
    for each in (printed(1, "old"), printed(2, "new"), printed(3, "later"), None):
        again.put_nowait(each)
    async with http.get(url, headers={**EVENTS, "Last-Event-ID": event}) as answer:
        assert [line for line in await follow(answer, "later") if "data" in line] == [
            "data: 2026-01-01T00:00:03.000000+00:00 app[web.1]: later"
        ]


async def test_a_process_that_is_to_stop_ends_its_tails(
    world: World, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_PULSE_SECONDS", 0.05)
    log = await dyno(world, await seen(world))
    for each in (printed(1, "old"), None, printed(2, "new")):
        log.put_nowait(each)
    async with http.get(await link(world, http, tail=True, source="app")) as answer:
        await follow(answer, "new")
        world.app.state.closing.set()
        async with asyncio.timeout(SOON):
            assert await answer.text() == ""


async def test_who_may_not_read_logs_gets_no_link(
    world: World, http: aiohttp.ClientSession
) -> None:
    await seen(world)
    world.cluster.denied.add((USER, "get", "pods/log"))
    async with http.post(f"{world.url}/apps/hello/log-sessions", json={}) as answer:
        assert answer.status == 403


async def test_a_link_dies_with_the_token_that_it_was_made_with(
    world: World, http: aiohttp.ClientSession
) -> None:
    await seen(world)
    url = await link(world, http)
    world.cluster.users.clear()
    world.app.state.context.authenticator.forget()
    async with http.get(url, headers=EVENTS) as answer:
        assert answer.status == 403
    assert TOKEN not in url


@pytest.mark.parametrize("change", ["x", "", "A" * 40])
async def test_a_link_that_is_none(world: World, http: aiohttp.ClientSession, change: str) -> None:
    await seen(world)
    url = (await link(world, http)).partition("capability=")[0] + "capability=" + change
    async with http.get(url, headers=EVENTS) as answer:
        assert (answer.status, (await answer.json())["id"]) == (404, "not_found")


@pytest.mark.parametrize("lines", [-1, "many"])
async def test_a_number_of_lines_that_is_none(
    world: World, http: aiohttp.ClientSession, lines: Any
) -> None:
    await seen(world)
    async with http.post(f"{world.url}/apps/hello/log-sessions", json={"lines": lines}) as answer:
        assert answer.status == 422
