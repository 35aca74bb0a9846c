"""Apps over HTTP: who may do what, names, and the words of refusals."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from haikube.api.kernel.auth import token_of
from haikube.api.rooms import apps
from haikube.api.rooms.naming import generated_name
from haikube.cluster.errors import Unreachable
from haikube.cluster.fake import Call
from haikube.model import labels
from haikube.model.names import APP_NAME
from haikube.model.resources import APPS, BUILDS
from haikube.storage.port import Stored
from world import NAMESPACE, TOKEN, USER, World, running


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running() as platform:
        yield platform


@pytest.fixture
async def http(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(world.url, headers=headers) as session:
        yield session


async def call(
    http: aiohttp.ClientSession, method: str, path: str, body: Any = None, **options: Any
) -> tuple[int, Any]:
    async with http.request(method, path, json=body, **options) as answer:
        return answer.status, await answer.json()


async def test_the_account_is_who_the_token_says(http: aiohttp.ClientSession) -> None:
    status, account = await call(http, "GET", "/account")
    assert (status, account["email"]) == (200, USER)


async def test_the_folder_of_an_app(world: World, http: aiohttp.ClientSession) -> None:
    world.cluster.app("hello")

    async def source() -> Any:
        return (await world.cluster.get(APPS, "hello", NAMESPACE))["spec"].get("source")

    assert (await call(http, "GET", "/apps/hello/path"))[1]["path"] == ""
    status, body = await call(http, "PUT", "/apps/hello/path", {"path": "apps/web/"})
    assert (status, body["path"], body["app"]["name"]) == (200, "apps/web", "hello")
    assert await source() == {"path": "apps/web"}
    await call(http, "PUT", "/apps/hello/path", {"path": ""})
    assert await source() is None
    assert (await call(http, "PUT", "/apps/hello/path", {"path": 7}))[0] == 422


async def test_the_folder_of_an_app_with_a_declared_source(
    world: World, http: aiohttp.ClientSession
) -> None:
    world.cluster.app("hello")
    git = {"url": "https://git.example/a", "subPath": "old"}
    await world.cluster.patch(APPS, "hello", NAMESPACE, {"spec": {"source": {"git": git}}})

    assert (await call(http, "GET", "/apps/hello/path"))[1]["path"] == "old"
    await call(http, "PUT", "/apps/hello/path", {"path": "new"})
    app = await world.cluster.get(APPS, "hello", NAMESPACE)
    assert app["spec"]["source"] == {"git": {"url": "https://git.example/a"}, "path": "new"}
    _, body = await call(http, "PUT", "/apps/hello/path", {"path": ""})
    assert body["path"] == ""


async def test_an_app_lives_and_dies(world: World, http: aiohttp.ClientSession) -> None:
    status, app = await call(http, "POST", "/apps", {"name": "hello", "team": NAMESPACE})
    assert status == 201
    assert app["name"] == "hello"
    assert app["web_url"] == "http://hello.localhost:8080/"
    assert app["git_url"] == f"{world.url}/hello.git"
    assert app["generation"]["name"] == "cedar"
    stored = await world.cluster.get(APPS, "hello", NAMESPACE)
    assert app["id"] == stored["metadata"]["uid"]

    world.cluster.app("other", "team-b")
    status, listed = await call(http, "GET", "/apps")
    assert (status, [entry["name"] for entry in listed]) == (200, ["hello"])
    assert await call(http, "GET", "/apps/hello") == (200, app)
    assert (await call(http, "DELETE", "/apps/hello"))[0] == 200
    assert (await call(http, "GET", "/apps/hello"))[0] == 404


async def test_a_name_is_made_for_who_brings_none(http: aiohttp.ClientSession) -> None:
    _, app = await call(http, "POST", "/apps", {"team": NAMESPACE})
    assert APP_NAME.fullmatch(app["name"])


def test_made_names_keep_the_rule() -> None:
    assert all(APP_NAME.fullmatch(generated_name()) for _ in range(2000))


@pytest.mark.parametrize(
    "name", ["Bad_Name", "ab", "9lives", "a" * 31, "end-", "", 7, "a\nb", "é1é"]
)
async def test_a_bad_name_is_refused_with_the_rule(
    http: aiohttp.ClientSession, name: object
) -> None:
    status, problem = await call(http, "POST", "/apps", {"name": name, "team": NAMESPACE})
    assert (status, problem["id"]) == (422, "invalid_params")
    assert repr(name)[:60] in problem["message"] or "not of type" in problem["message"]


@pytest.mark.parametrize("name", ["api", "git", "www"])
async def test_names_of_the_platform_are_reserved(http: aiohttp.ClientSession, name: str) -> None:
    status, problem = await call(http, "POST", "/apps", {"name": name, "team": NAMESPACE})
    assert status == 422
    assert f"Name {name} belongs to the platform" in problem["message"]


@pytest.mark.parametrize("namespace", [NAMESPACE, "team-b"])
async def test_a_name_is_taken_wherever_it_lives(
    world: World, http: aiohttp.ClientSession, namespace: str
) -> None:
    world.cluster.app("hello", namespace)
    status, problem = await call(http, "POST", "/apps", {"name": "hello", "team": NAMESPACE})
    assert (status, problem["message"]) == (
        422,
        "Name hello is already taken: choose another.",
    )


async def test_a_foreign_namespace_is_forbidden(http: aiohttp.ClientSession) -> None:
    status, problem = await call(http, "POST", "/apps", {"name": "hello", "team": "team-b"})
    assert (status, problem["id"]) == (403, "forbidden")
    assert f"{USER} may not create apps in namespace team-b" in problem["message"]


async def test_a_service_account_makes_apps_where_it_lives(
    world: World, http: aiohttp.ClientSession
) -> None:
    robot = "system:serviceaccount:team-a:robot"
    world.cluster.users["robot"] = robot
    world.cluster.namespaces[robot] = {NAMESPACE}
    headers = {"Authorization": "Bearer robot"}
    status, app = await call(http, "POST", "/apps", {"name": "made"}, headers=headers)
    assert (status, app["team"], app["owner"]["email"]) == (201, None, "robot@team-a")
    assert await world.cluster.get(APPS, "made", NAMESPACE)


FOREIGN = [
    ("GET", "/apps/secret"),
    ("DELETE", "/apps/secret"),
    ("GET", "/apps/secret.team-b"),
    ("POST", "/apps/secret/sources"),
    ("GET", "/apps/secret/builds"),
    ("POST", "/apps/secret/builds"),
    ("GET", "/apps/secret/builds/secret-b-123456"),
    ("DELETE", "/apps/secret/builds/secret-b-123456"),
    ("GET", "/apps/secret/builds/secret-b-123456/log"),
]


@pytest.mark.parametrize(("method", "path"), FOREIGN)
async def test_what_belongs_to_others_is_not_found(
    world: World, http: aiohttp.ClientSession, method: str, path: str
) -> None:
    app = world.cluster.app("secret", "team-b")
    before = list(world.cluster.writes)
    by_id = path.replace("secret", app["metadata"]["uid"], 1)
    for address in (path, by_id):
        status, problem = await call(http, method, address, {})
        assert (status, problem["id"]) == (404, "not_found")
    assert world.cluster.writes == before


@pytest.mark.parametrize(("method", "path"), [*FOREIGN, ("GET", "/account"), ("GET", "/apps")])
@pytest.mark.parametrize(
    "header", ["", "Bearer wrong", "Basic !!", "Bearer ", "Digest x", "Bearer a b", "Basic Og=="]
)
async def test_no_valid_token_no_answer(world: World, method: str, path: str, header: str) -> None:
    world.cluster.app("secret", "team-b")
    headers = {"Authorization": header} if header else {}
    async with aiohttp.ClientSession(world.url, headers=headers) as session:
        status, problem = await call(session, method, path)
    assert (status, problem["id"]) == (401, "unauthorized")
    assert "haikube login" in problem["message"]


async def test_a_token_is_reviewed_once_in_a_while(
    world: World, http: aiohttp.ClientSession
) -> None:
    for _ in range(5):
        await call(http, "GET", "/apps")
    assert world.cluster.reviews == 1


def test_tokens_come_as_bearer_or_as_the_password() -> None:
    basic = base64.b64encode(b"anybody:the-token").decode()
    assert token_of(f"Basic {basic}") == "the-token"
    assert token_of("bearer the-token") == "the-token"
    assert token_of(f"Bearer {'x' * 20_000}") == ""


async def test_a_cluster_that_does_not_answer_is_said(
    world: World, http: aiohttp.ClientSession
) -> None:
    def down(call: Call) -> None:
        del call
        raise Unreachable(0, "Timeout", "connection refused")

    world.cluster.fault = down
    status, problem = await call(http, "GET", "/apps/hello")
    assert (status, problem["id"]) == (503, "service_unavailable")
    assert "Kubernetes did not answer" in problem["message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("/apps/..%2f..%2fsecrets", 404), ("/apps/hello%00", 404), ("/", 404)],
)
async def test_what_is_not_there_is_json_too(
    http: aiohttp.ClientSession, path: str, status: int
) -> None:
    assert (await call(http, "GET", path))[0] == status


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"name": ' + b" " * 5_000_000 + b"1}"])
async def test_a_damaged_body_is_refused(http: aiohttp.ClientSession, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with http.post("/apps", data=io.BytesIO(body), headers=headers) as answer:
        assert answer.status in {400, 413}
        assert (await answer.json())["message"]


async def test_every_answer_has_the_id_of_its_request(http: aiohttp.ClientSession) -> None:
    async with http.get("/account", headers={"Request-Id": "first,second"}) as answer:
        assert answer.headers["Request-Id"] == "second"
    async with http.get("/account", headers={"Request-Id": "a b"}) as answer:
        assert len(answer.headers["Request-Id"]) == 36


async def test_probes_and_metrics(http: aiohttp.ClientSession) -> None:
    await call(http, "GET", "/account")
    for path in ("/healthz", "/readyz"):
        async with http.get(path) as answer:
            assert answer.status == 200
    async with http.get("/metrics") as answer:
        assert 'route="/account",status="200"' in await answer.text()


async def test_no_token_is_ever_logged(
    world: World, http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    del world
    await call(http, "GET", "/apps/hello?token=" + TOKEN)
    await call(http, "GET", "/sources/" + TOKEN)
    async with aiohttp.ClientSession() as anonymous:
        await anonymous.get(http._build_url("/account"), headers={"Authorization": "Bearer nope-x"})
    said = "".join(capsys.readouterr())
    assert "/apps/hello" in said
    assert TOKEN not in said
    assert "nope-x" not in said


@pytest.mark.parametrize(
    ("bridge", "url"),
    [
        ("http://localhost:7007", "https://localhost:7007/hello.git"),
        ("http://127.0.0.1:7007", "https://127.0.0.1:7007/hello.git"),
        ("http://evil.example:7007", ""),
        ("http://localhost:7007.evil.example", ""),
        ("https://localhost:7007", ""),
        ("http://localhost:7007/x", ""),
    ],
)
async def test_addresses_are_those_of_the_callers_bridge_and_of_no_other_host(
    world: World, http: aiohttp.ClientSession, bridge: str, url: str
) -> None:
    world.cluster.app("hello")
    status, app = await call(http, "GET", "/apps/hello", headers={"Haikube-Bridge": bridge})
    assert (status, app["git_url"]) == (200, url or f"{world.url}/hello.git")


async def test_what_client_libraries_send_of_themselves_is_taken(
    http: aiohttp.ClientSession,
) -> None:
    wish = {"name": "hello", "team": NAMESPACE, "stack": "cedar"}
    assert (await call(http, "POST", "/apps", wish))[0] == 201
    status, app = await call(http, "PATCH", "/apps/hello", {"maintenance": 0})
    assert (status, app["maintenance"]) == (200, False)


async def test_an_app_is_shown_though_its_storage_does_not_answer(
    world: World, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = world.cluster.app("hello")["metadata"]["uid"]
    marks = {labels.APP: "hello", labels.APP_UID: uid}
    place = {"name": "hello-b-1", "namespace": NAMESPACE, "labels": marks}
    world.cluster.seed(BUILDS, {"metadata": place, "spec": {"appRef": {"name": "hello"}}})
    await world.storage.put(f"git/{uid}/packs/a", b"12345")
    async with asyncio.timeout(60):
        while (await call(http, "GET", "/apps/hello"))[1]["repo_size"] != 5:
            pass  # the api has not seen the build yet

    async def silent(_prefix: str) -> AsyncIterator[Stored]:
        await asyncio.Event().wait()
        yield Stored("never", 0, datetime.now(UTC), "")

    monkeypatch.setattr(apps, "_SIZE_SECONDS", 0.05)
    monkeypatch.setattr(world.storage, "list", silent)
    status, shown = await call(http, "GET", "/apps/hello")
    assert (status, shown["repo_size"]) == (200, None)
