"""Every route: called without a token, from another team, by who only looks, by a developer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import aiohttp
import pytest
from starlette.routing import Route

from haikube.api.rooms import ROOMS
from haikube.cluster.port import Json
from haikube.model.resources import APPS
from rest import Rest
from world import NAMESPACE, TOKEN, World, running

OPEN = {
    "/buildpacks",
    "/buildpacks/{name:path}",
    "/buildpacks/{name:path}/revisions",
    "/buildpacks/{name:path}/readme",
    "/api/v4/current-status",
    "/auth",
}
"""What tells nothing of anybody."""

LINKS = {
    "/sources/{link}",
    "/slugs",
    "/apps/{app}/releases/{release}/output",
    "/apps/{app}/logs",
}
"""What is opened by a signed link instead of a token: without one there is nothing."""

READS = {"/apps/{app}/log-sessions"}
"""What is made by reading."""

BODIES: dict[str, Json] = {
    "/apps/{app}/config-vars": {"A": "1"},
    "/apps/{app}/formation": {"updates": [{"type": "web", "quantity": 2}]},
    "/apps/{app}/formation/{type}": {"quantity": 2},
    "/apps/{app}/domains": {"hostname": "www.example.com"},
    "/apps/{app}/domains/{domain}": {"sni_endpoint": None},
    "/apps/{app}/buildpack-installations": {"updates": []},
    "/apps/{app}/features/{feature}": {"enabled": True},
    "/apps/{app}/collaborators": {"user": "bob@example.com"},
    "/teams/apps/{app}": {"locked": True},
    "/teams/apps/{app}/collaborators": {"user": "bob@example.com"},
    "/teams/{team}/members": {"email": "bob@example.com", "role": "member"},
    "/apps/{app}/releases": {"release": "v2"},
    "/apps/{app}/webhooks": {"include": ["dyno"], "level": "notify", "url": "https://example.com"},
    "/apps/{app}": {"maintenance": True},
    "/account/app-transfers": {"app": "secret", "recipient": "bob@example.com"},
}
NAMES = {
    "app": "secret",
    "team": "team-b",
    "type": "web",
    "feature": "preboot",
    "dyno": "web.1",
    "release": "v2",
    "user": "~",
    "name:path": "heroku/python",
    "drain:path": "d.x",
}


class Place(NamedTuple):
    method: str
    path: str

    @property
    def filled(self) -> str:
        path = self.path
        for name, value in NAMES.items():
            path = path.replace(f"{{{name}}}", value)
        while "{" in path:
            path = path[: path.index("{")] + "x" + path[path.index("}") + 1 :]
        return path

    @property
    def body(self) -> Json | None:
        return BODIES.get(self.path, {}) if self.method in {"POST", "PUT", "PATCH"} else None

    @property
    def of_app(self) -> bool:
        return "{app}" in self.path


def places() -> Iterator[Place]:
    for room in ROOMS:
        for route in room.routes:
            if isinstance(route, Route):
                for method in sorted((route.methods or set()) - {"HEAD"}):
                    yield Place(method, route.path)


PLACES = sorted(set(places()))
GUARDED = [each for each in PLACES if each.path not in OPEN | LINKS]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """An app of team-b; ada is of team-a, vera looks at team-b, dan develops there."""
    async with running(ledger=True) as platform:
        cluster = platform.cluster
        cluster.users |= {"token-of-vera": "vera@example.com", "token-of-dan": "dan@example.com"}
        cluster.namespaces["vera@example.com"] = {"team-b"}
        cluster.namespaces["dan@example.com"] = {"team-b"}
        cluster.viewers.add("vera@example.com")
        await platform.ledger.deploy(cluster.app("secret", "team-b"))
        async with client(platform, "token-of-dan") as dan:
            while len(await dan.get("/apps/secret/dynos")) < 1:
                pass
        yield platform


class client:  # noqa: N801 - reads as a function
    def __init__(self, world: World, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = aiohttp.ClientSession(world.url, headers=headers)

    async def __aenter__(self) -> Rest:
        return Rest(await self._session.__aenter__())

    async def __aexit__(self, *ended: object) -> None:
        await self._session.close()


async def test_without_a_token_nothing_is_told(world: World) -> None:
    before = list(world.cluster.writes)
    async with client(world, "") as nobody:
        for place in GUARDED:
            found = await nobody(place.method, place.filled, place.body)
            if place.path == "/apps/{app}/builds/{build}/log":
                continue
            assert (found.status, found.body["id"]) == (401, "unauthorized"), place
            assert "WWW-Authenticate" not in found.headers
    assert world.cluster.writes == before


async def test_what_opens_by_a_link_is_not_there_without_one(world: World) -> None:
    async with client(world, TOKEN) as ada:
        for place in PLACES:
            if place.path in LINKS:
                assert (await ada(place.method, place.filled, place.body)).status == 404, place


async def test_to_another_team_an_app_is_not_there(world: World) -> None:
    before = list(world.cluster.writes)
    async with client(world, TOKEN) as ada:
        for place in GUARDED:
            if not place.of_app and "{team}" not in place.path:
                continue
            found = await ada(place.method, place.filled, place.body)
            if place.path == "/teams/{team}/apps":
                assert found.body == []
            else:
                assert found.status == 404, (place, found.body)
    assert world.cluster.writes == before


async def test_who_only_looks_changes_nothing(world: World) -> None:
    before = list(world.cluster.writes)
    async with client(world, "token-of-vera") as vera:
        for place in GUARDED:
            if place.of_app and place.method != "GET" and place.path not in READS:
                found = await vera(place.method, place.filled, place.body)
                assert found.status in {403, 404, 422}, (place, found.body)
    assert world.cluster.writes == before
    assert await world.cluster.get(APPS, "secret", "team-b")


async def test_nothing_fails_for_a_developer(world: World) -> None:
    last = {"DELETE": 1}
    async with client(world, "token-of-dan") as dan:
        for place in sorted(GUARDED, key=lambda each: (last.get(each.method, 0), each[::-1])):
            if place.path == "/apps/{app}/builds/{build}/log":
                continue
            found = await dan(place.method, place.filled, place.body)
            assert found.status < 500, (place, found.body)
            if found.status >= 400:
                assert len(found.message) > 15, place
    assert NAMESPACE
