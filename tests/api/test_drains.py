"""``heroku drains`` over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import aiohttp
import pytest

from haikube.model.drain import parse_drains
from haikube.model.resources import SECRETS
from world import NAMESPACE, TOKEN, USER, World, running

URL = "https://user:secret@logs.example.com/in?x=1"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running() as platform, aiohttp.request("GET", f"{platform.url}/readyz"):
        platform.cluster.app("hello")
        yield platform


@pytest.fixture
async def http(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(world.url, headers=headers) as session:
        yield session


async def test_a_drain_comes_is_listed_and_goes(world: World, http: aiohttp.ClientSession) -> None:
    async with http.post("/apps/hello/log-drains", json={"url": URL}) as answer:
        made = await answer.json()
        assert (answer.status, made["url"], made["addon"]) == (201, URL, None)
    secret = await world.cluster.get(SECRETS, "hello-drains", NAMESPACE)
    assert [each.url for each in parse_drains(secret)] == [URL]
    assert secret["metadata"]["ownerReferences"][0]["name"] == "hello"
    async with http.get("/apps/hello/log-drains") as answer:
        assert await answer.json() == [made]
    async with http.post("/apps/hello/log-drains", json={"url": URL}) as answer:
        assert answer.status == 422
    async with http.delete(f"/apps/hello/log-drains/{quote(URL, safe='')}") as answer:
        assert (answer.status, await answer.json()) == (200, made)
    async with http.get(f"/apps/hello/log-drains/{made['token']}") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("name", ["id", "token"])
async def test_a_drain_is_found_by_its_id_and_token(http: aiohttp.ClientSession, name: str) -> None:
    async with http.post("/apps/hello/log-drains", json={"url": URL}) as answer:
        made = await answer.json()
    async with http.get(f"/apps/hello/log-drains/{made[name]}") as answer:
        assert await answer.json() == made


@pytest.mark.parametrize(
    "url", ["http://x.example.com", "syslog://x", "x", "https://" + "x" * 3000]
)
async def test_a_drain_without_tls_is_refused(http: aiohttp.ClientSession, url: str) -> None:
    async with http.post("/apps/hello/log-drains", json={"url": url}) as answer:
        assert answer.status == 422
        assert "The drain cannot be added" in (await answer.json())["message"]


async def test_an_app_has_few_drains(http: aiohttp.ClientSession) -> None:
    statuses = []
    for number in range(6):
        body = {"url": f"https://logs.example.com/{number}"}
        async with http.post("/apps/hello/log-drains", json=body) as answer:
            statuses.append(answer.status)
    assert statuses == [201] * 5 + [422]


async def test_who_may_not_read_secrets_sees_no_drain(
    world: World, http: aiohttp.ClientSession
) -> None:
    world.cluster.denied.add((USER, "get", "secrets"))
    async with http.get("/apps/hello/log-drains") as answer:
        assert answer.status == 403
