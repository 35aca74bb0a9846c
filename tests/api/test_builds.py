"""Builds without git: upload, build, follow, cancel."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from haikube.model import labels
from haikube.model.resources import APPS, BUILDS
from haikube.settings import Settings
from world import TOKEN, USER, Operator, World, gated, running

ARCHIVE = b"\x1f\x8b not really a tar"
DIGEST = f"sha256:{hashlib.sha256(ARCHIVE).hexdigest()}"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running(Settings(public_port=8080, source_limit=1000)) as platform:
        platform.cluster.app("hello")
        yield platform


@pytest.fixture
async def http(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(world.url, headers=headers) as session:
        yield session


async def call(
    http: aiohttp.ClientSession, method: str, path: str, body: Any = None
) -> tuple[int, Any]:
    async with http.request(method, path, json=body) as answer:
        return answer.status, await answer.json()


async def upload(http: aiohttp.ClientSession, path: str, data: bytes = ARCHIVE) -> Any:
    status, source = await call(http, "POST", path)
    assert status == 201
    async with (
        aiohttp.ClientSession() as anonymous,
        anonymous.put(
            source["source_blob"]["put_url"], data=data, headers={"Content-Type": ""}
        ) as answer,
    ):
        assert answer.status == 200, await answer.text()
    return source["source_blob"]


async def print_what_acts(operator: Operator, build: Any) -> None:
    log = await operator.start(build)
    for chunk in (b"\x1b[1mbold\x1b", b"[0m \x1b", b"]0;title\x07\n"):
        log.put_nowait(chunk)
    log.put_nowait(None)
    await operator.release(build)


async def text(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as anonymous, anonymous.get(url) as answer:
        return answer.status, await answer.text()


async def test_a_log_acts_on_no_terminal_and_keeps_its_length(
    world: World, http: aiohttp.ClientSession
) -> None:
    world.operator.script = print_what_acts
    blob = await upload(http, "/sources")
    wish = {"source_blob": {"url": blob["get_url"]}}
    _, build = await call(http, "POST", "/apps/hello/builds", wish)
    whole = "\x1b[1mbold\x1b[0m ?]0;title?\n"
    assert await text(build["output_stream_url"]) == (200, whole)


@pytest.mark.parametrize("path", ["/sources", "/apps/hello/sources"])
async def test_an_upload_is_built_and_followed(
    world: World, http: aiohttp.ClientSession, path: str
) -> None:
    blob = await upload(http, path)
    wish = {"source_blob": {"url": blob["get_url"], "version": "v1"}}
    status, build = await call(http, "POST", "/apps/hello/builds", wish)
    assert (status, build["status"]) == (201, "pending")
    assert build["user"]["email"] == USER

    status, log = await text(build["output_stream_url"])
    assert status == 200
    assert log == "-----> Building on the Debian-13 stack\n-----> Python app detected\n"
    _, build = await call(http, "GET", f"/apps/hello/builds/{build['id']}")
    assert (build["status"], build["release_version"]) == ("succeeded", 1)

    archive = world.operator.builds[0]["spec"]["source"]["archive"]
    uid = (await call(http, "GET", "/apps/hello"))[1]["id"]
    assert archive["key"].startswith(f"sources/{uid}/")
    assert (archive["digest"], archive["sizeBytes"]) == (DIGEST, len(ARCHIVE))
    assert world.storage.objects[archive["key"]] == ARCHIVE


async def test_a_blob_on_the_internet_needs_its_checksum(
    world: World, http: aiohttp.ClientSession
) -> None:
    blob = {"url": "https://example.com/a.tar.gz", "checksum": f"SHA256:{'A1' * 32}"}
    status, build = await call(http, "POST", "/apps/hello/builds", {"source_blob": blob})
    assert status == 201
    assert build["source_blob"]["url"] == blob["url"]
    stored = (await world.cluster.list(BUILDS)).items[0]["spec"]["source"]["blob"]
    assert stored == {"url": blob["url"], "checksum": f"sha256:{'a1' * 32}"}


@pytest.mark.parametrize(
    ("blob", "word"),
    [
        (None, "source_blob"),
        ({}, "url"),
        ({"url": "https://example.com/a.tar.gz"}, "checksum"),
        ({"url": "https://example.com/a", "checksum": "SHA256:abc"}, "64 hex digits"),
        ({"url": "file:///etc/passwd", "checksum": "x"}, "http or https"),
        ({"url": "https://me:pw@example.com/a", "checksum": "x"}, "user name or password"),
        ({"url": "gopher://x/sources/abc"}, "link"),
    ],
)
async def test_a_bad_source_is_refused(
    world: World, http: aiohttp.ClientSession, blob: object, word: str
) -> None:
    status, problem = await call(http, "POST", "/apps/hello/builds", {"source_blob": blob})
    assert status in {404, 422}
    assert word in problem["message"]
    assert not world.operator.builds


async def test_nothing_was_uploaded(http: aiohttp.ClientSession) -> None:
    _, source = await call(http, "POST", "/apps/hello/sources")
    wish = {"source_blob": {"url": source["source_blob"]["get_url"]}}
    status, problem = await call(http, "POST", "/apps/hello/builds", wish)
    assert status == 422
    assert "PUT the archive to put_url first" in problem["message"]


async def test_a_source_of_another_app_is_refused(
    world: World, http: aiohttp.ClientSession
) -> None:
    world.cluster.app("other")
    blob = await upload(http, "/apps/other/sources")
    wish = {"source_blob": {"url": blob["get_url"]}}
    status, problem = await call(http, "POST", "/apps/hello/builds", wish)
    assert (status, problem["message"]) == (422, "This source was uploaded for another app.")


async def test_a_link_allows_one_act_on_one_thing(http: aiohttp.ClientSession) -> None:
    blob = await upload(http, "/apps/hello/sources")
    async with aiohttp.ClientSession() as anonymous:
        for method, url in (
            ("GET", blob["put_url"]),
            ("PUT", blob["get_url"]),
            ("GET", blob["get_url"][:-1] + ("A" if blob["get_url"][-1] != "A" else "B")),
            ("GET", blob["get_url"] + "x"),
            ("GET", blob["get_url"].rpartition(".")[0]),
            ("GET", blob["get_url"].rpartition("/")[0] + "/é.ü"),
        ):
            async with anonymous.request(method, url) as answer:
                assert answer.status == 404, (method, url)
        async with anonymous.get(blob["get_url"]) as answer:
            assert (answer.status, await answer.read()) == (200, ARCHIVE)


async def test_an_upload_over_the_limit_leaves_nothing(
    world: World, http: aiohttp.ClientSession
) -> None:
    _, source = await call(http, "POST", "/apps/hello/sources")
    async with http.put(source["source_blob"]["put_url"], data=b"x" * 2000) as answer:
        assert answer.status == 413
        assert "1,000 bytes" in (await answer.json())["message"]
    assert not world.storage.objects


async def test_an_upload_while_the_storage_is_down(
    world: World, http: aiohttp.ClientSession
) -> None:
    _, source = await call(http, "POST", "/apps/hello/sources")
    world.storage.down = "no answer from http://storage:8333"
    async with http.put(source["source_blob"]["put_url"], data=ARCHIVE) as answer:
        assert answer.status == 503
        assert "no answer from http://storage:8333" in (await answer.json())["message"]


async def test_builds_are_listed_and_cancelled(world: World, http: aiohttp.ClientSession) -> None:
    world.operator.script = gated
    blob = await upload(http, "/apps/hello/sources")
    wish = {"source_blob": {"url": blob["get_url"]}, "buildpacks": [{"url": "heroku/python"}]}
    _, build = await call(http, "POST", "/apps/hello/builds", wish)
    status, builds = await call(http, "GET", "/apps/hello/builds")
    assert (status, [entry["id"] for entry in builds]) == (200, [build["id"]])
    spec = (await world.cluster.list(BUILDS)).items[0]["spec"]
    assert spec["buildpacks"] == [{"name": "heroku/python"}]

    status, _ = await call(http, "DELETE", f"/apps/hello/builds/{build['name']}")
    assert status == 200
    assert (await world.cluster.list(BUILDS)).items[0]["spec"]["cancel"] is True


async def test_a_build_that_has_ended_cannot_be_cancelled(
    http: aiohttp.ClientSession,
) -> None:
    blob = await upload(http, "/apps/hello/sources")
    wish = {"source_blob": {"url": blob["get_url"]}}
    _, build = await call(http, "POST", "/apps/hello/builds", wish)
    await text(build["output_stream_url"])
    status, problem = await call(http, "DELETE", f"/apps/hello/builds/{build['id']}")
    assert status == 422
    assert "has ended already: succeeded" in problem["message"]


@pytest.mark.parametrize("name", ["hello-b-nope00", "nope", "other-b-123456", "..%2fx"])
async def test_an_unknown_build_is_not_found(http: aiohttp.ClientSession, name: str) -> None:
    for suffix in ("", "/log"):
        status, problem = await call(http, "GET", f"/apps/hello/builds/{name}{suffix}")
        assert (status, problem["id"]) == (404, "not_found")


async def test_a_purged_cache_is_another_one_each_time(
    world: World, http: aiohttp.ClientSession
) -> None:
    marks = set()
    for _ in range(2):
        assert await call(http, "DELETE", "/apps/hello/build-cache") == (202, {})
        app = (await world.cluster.list(APPS)).items[0]
        marks.add(app["metadata"]["annotations"][labels.BUILD_CACHE])

    assert len(marks) == 2
    status, problem = await call(http, "DELETE", "/apps/nobody/build-cache")
    assert (status, problem["id"]) == (404, "not_found")
