"""The HTTP adapter against a scripted server: what a real one does only on a bad day."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from contract.widgets import WIDGETS
from haikube.cluster import transport
from haikube.cluster.addresses import path
from haikube.cluster.credentials import Credentials, static_token
from haikube.cluster.errors import (
    ApiError,
    Expired,
    Forbidden,
    Invalid,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from haikube.cluster.http import HttpCluster
from haikube.cluster.port import Json, WatchEvent
from haikube.model.resources import APPS, PODS, SECRETS, STACKS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once."""
    monkeypatch.setattr(transport, "_FIRST_PAUSE", 0.0)


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[HttpCluster]:
    """Return a client of a server that answers everything by ``handler``."""
    app = web.Application()

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        credentials = Credentials(str(server.make_url("")).rstrip("/"), static_token("t0k3n"))
        async with HttpCluster(credentials, user_agent="tests/1") as cluster:
            yield cluster


def failure(code: int, reason: str = "", message: str = "", **headers: str) -> web.Response:
    status = {"kind": "Status", "code": code, "reason": reason, "message": message}
    return web.json_response(
        status, status=code, headers={key.replace("_", "-"): text for key, text in headers.items()}
    )


class Script:
    """Answers one after the other; the last one stays."""

    def __init__(self, *answers: Callable[[], web.StreamResponse]) -> None:
        self.answers = list(answers)
        self.requests: list[web.Request] = []
        self.bodies: list[Any] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        text = await request.text()
        self.bodies.append(json.loads(text) if text else None)
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])()


def ok(body: Any = None) -> Callable[[], web.StreamResponse]:
    return lambda: web.json_response({"metadata": {}} if body is None else body)


# Requests


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (path(APPS, "ns", "hello"), "/apis/haikube.dev/v1alpha1/namespaces/ns/apps/hello"),
        (path(PODS, "ns", "p", "log"), "/api/v1/namespaces/ns/pods/p/log"),
        (path(PODS), "/api/v1/pods"),
        (path(STACKS, "ignored", "debian"), "/apis/haikube.dev/v1alpha1/stacks/debian"),
        (path(PODS, "ns", "../../secrets/x"), "/api/v1/namespaces/ns/pods/..%2F..%2Fsecrets%2Fx"),
    ],
)
def test_every_object_has_its_path_and_no_name_leaves_it(made: str, wanted: str) -> None:
    assert made == wanted


async def test_a_request_shows_who_asks() -> None:
    script = Script(ok())
    async with served(script) as cluster:
        await cluster.get(WIDGETS, "one", "ns")
        await cluster.with_token("caller").get(WIDGETS, "one", "ns")
        await cluster.with_token("").get(WIDGETS, "one", "ns")

    shown = [request.headers.get("Authorization") for request in script.requests]
    assert shown == ["Bearer t0k3n", "Bearer caller", None]
    assert script.requests[0].headers["User-Agent"] == "tests/1"


async def test_an_apply_is_a_patch_of_its_own_type() -> None:
    script = Script(ok())
    body = {"metadata": {"name": "one", "namespace": "ns"}}
    async with served(script) as cluster:
        await cluster.apply(WIDGETS, body, manager="us")
        await cluster.apply(WIDGETS, body, manager="us", force=False)
        await cluster.apply_status(WIDGETS, body, manager="us")

    first, second, third = script.requests
    assert first.headers["Content-Type"] == "application/apply-patch+yaml"
    assert dict(first.query) == {"fieldManager": "us", "force": "true"}
    assert second.query["force"] == "false"
    assert third.path.endswith("/widgets/one/status")


async def test_a_deletion_carries_its_conditions() -> None:
    script = Script(ok())
    async with served(script) as cluster:
        await cluster.delete(WIDGETS, "one", "ns", uid="u", resource_version="7")

    assert script.bodies == [
        {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": "u", "resourceVersion": "7"},
        }
    ]


async def test_a_long_list_is_read_in_pages() -> None:
    def page(name: str, **metadata: str) -> Callable[[], web.StreamResponse]:
        return ok({"metadata": {"resourceVersion": "9", **metadata}, "items": [{"metadata": name}]})

    script = Script(page("a", **{"continue": "more"}), page("b"))
    async with served(script) as cluster:
        listing = await cluster.list(WIDGETS, labels="x", metadata_only=True)

    assert [item["metadata"] for item in listing.items] == ["a", "b"]
    assert {item["kind"] for item in listing.items} == {"Widget"}
    assert listing.resource_version == "9"
    assert [request.query.get("continue") for request in script.requests] == [None, "more"]
    assert {request.query["limit"] for request in script.requests} == {"500"}
    assert "PartialObjectMetadataList" in script.requests[0].headers["Accept"]


async def test_an_empty_list_may_be_null() -> None:
    script = Script(ok({"metadata": {"resourceVersion": "9"}, "items": None}))
    async with served(script) as cluster:
        assert (await cluster.list(WIDGETS)).items == ()


# Refusals and retries


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failure(401, "Unauthorized"), Unauthorized),
        (failure(403, "Forbidden", "exceeded quota"), Forbidden),
        (failure(422, "Invalid"), Invalid),
        (failure(500, "InternalError"), ApiError),
        (web.Response(status=404, text="no JSON here"), ApiError),
        (web.json_response(["no status"], status=400), ApiError),
        (web.Response(status=302, headers={"Location": "https://evil.invalid"}), ApiError),
    ],
)
async def test_a_refusal_is_an_error_of_its_kind(
    answer: web.Response, error: type[ApiError]
) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return answer

    async with served(handler) as cluster:
        with pytest.raises(error) as caught:
            await cluster.create(WIDGETS, {"metadata": {"namespace": "ns"}})
    assert caught.value.status == answer.status


async def test_too_many_requests_are_repeated_when_the_server_wishes() -> None:
    busy = failure
    script = Script(lambda: busy(429, "TooManyRequests", Retry_After="0"), ok({"x": 1}))
    async with served(script) as cluster:
        assert await cluster.create(WIDGETS, {"metadata": {"namespace": "ns"}}) == {"x": 1}

    assert len(script.requests) == 2


async def test_patience_has_an_end() -> None:
    script = Script(lambda: failure(429, "TooManyRequests", Retry_After="0"))
    async with served(script) as cluster:
        with pytest.raises(TooManyRequests) as caught:
            await cluster.get(WIDGETS, "one", "ns")

    assert len(script.requests) == transport.MOST_TRIES
    assert caught.value.retry_after == 0


def test_a_pause_is_bounded_and_jittered() -> None:
    patient = TooManyRequests(429, "TooManyRequests", "", retry_after=3600)

    pause = transport._pause(patient, 1)

    assert transport.LONGEST_PAUSE <= pause <= transport.LONGEST_PAUSE * 1.25


@pytest.mark.parametrize(
    ("verb", "tries"), [("get", 2), ("apply", 2), ("create", 1), ("patch", 1), ("delete", 1)]
)
async def test_only_what_may_be_repeated_is_repeated_after_a_lost_answer(
    verb: str, tries: int
) -> None:
    script = Script(lambda: failure(503, "ServiceUnavailable"), ok())
    body = {"metadata": {"name": "one", "namespace": "ns"}}
    async with served(script) as cluster:
        calls: dict[str, Callable[[], Awaitable[Any]]] = {
            "get": lambda: cluster.get(WIDGETS, "one", "ns"),
            "apply": lambda: cluster.apply(WIDGETS, body, manager="us"),
            "create": lambda: cluster.create(WIDGETS, body),
            "patch": lambda: cluster.patch(WIDGETS, "one", "ns", {}),
            "delete": lambda: cluster.delete(WIDGETS, "one", "ns"),
        }
        if tries == 1:
            with pytest.raises(ApiError):
                await calls[verb]()
        else:
            await calls[verb]()

    assert len(script.requests) == tries


async def test_a_refusal_about_a_secret_tells_no_values() -> None:
    details = {"causes": [{"field": "data[KEY]", "message": "hunter2 is bad"}]}
    status = {"reason": "Invalid", "message": "hunter2 is bad", "details": details}
    script = Script(lambda: web.json_response(status, status=422))
    body = {"metadata": {"name": "vars", "namespace": "ns"}, "stringData": {"KEY": "hunter2"}}
    async with served(script) as cluster:
        with pytest.raises(Invalid) as caught:
            await cluster.create(SECRETS, body)

    assert "hunter2" not in str(caught.value)
    assert "data[KEY]" in str(caught.value)


@pytest.mark.parametrize(
    "why",
    [
        'User "ada" cannot create resource "secrets" in API group "" in the namespace "ns"',
        "exceeded quota: team, requested: secrets=1, used: secrets=5, limited: secrets=5",
        "ValidatingAdmissionPolicy 'haikube-x' with binding 'haikube-x' denied request: no team",
    ],
)
async def test_a_refusal_for_lack_of_a_right_says_which(why: str) -> None:
    status = {"reason": "Forbidden", "message": f'secrets "vars" is forbidden: {why}'}
    script = Script(lambda: web.json_response(status, status=403))
    async with served(script) as cluster:
        with pytest.raises(Forbidden, match=re.escape(why)):
            await cluster.create(SECRETS, {"metadata": {"name": "vars", "namespace": "ns"}})


async def test_a_strangers_policy_may_repeat_a_value_and_is_not_quoted() -> None:
    why = "ValidatingAdmissionPolicy 'theirs' denied request: hunter2 is weak"
    status = {"reason": "Invalid", "message": f'secrets "vars" is forbidden: {why}'}
    script = Script(lambda: web.json_response(status, status=422))
    async with served(script) as cluster:
        with pytest.raises(Invalid) as caught:
            await cluster.create(SECRETS, {"metadata": {"name": "vars", "namespace": "ns"}})

    assert "hunter2" not in str(caught.value)


async def test_an_answer_that_is_no_json_is_unreachable() -> None:
    script = Script(lambda: web.Response(text="<html>some proxy</html>"))
    async with served(script) as cluster:
        with pytest.raises(Unreachable, match="not JSON"):
            await cluster.create(WIDGETS, {"metadata": {"namespace": "ns"}})


async def test_no_server_is_unreachable() -> None:
    credentials = Credentials("http://127.0.0.1:9", static_token("t0k3n"))
    async with HttpCluster(credentials) as cluster:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9") as caught:
            await cluster.get(WIDGETS, "one", "ns")

    assert "t0k3n" not in str(caught.value)


async def test_a_token_that_cannot_be_read_is_unauthorized() -> None:
    async def token() -> str:
        raise Unauthorized(401, "Unauthorized", "our token cannot be read")

    async with HttpCluster(Credentials("http://127.0.0.1:9", token)) as cluster:
        with pytest.raises(Unauthorized):
            await cluster.get(WIDGETS, "one", "ns")


# Streams


async def collect(cluster: HttpCluster) -> list[WatchEvent]:
    return [event async for event in cluster.watch(WIDGETS, resource_version="5")]


def stream(*chunks: bytes, hang: asyncio.Event | None = None) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        if hang is not None:
            await hang.wait()
        return response

    return handler


def line(kind: str, **obj: Any) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


async def test_bookmarks_are_not_changes_and_chunks_are_not_lines() -> None:
    whole = line("ADDED", x="é" * 200_000) + line("BOOKMARK") + line("DELETED", x=2) + b"\n"
    async with served(stream(whole[:70_001], whole[70_001:], b'{"type": "AD')) as cluster:
        events = await collect(cluster)

    assert [event.type for event in events] == ["ADDED", "DELETED"]
    assert events[0].object == {"x": "é" * 200_000}


async def test_an_error_in_the_stream_is_raised() -> None:
    expired = line("ERROR", code=410, reason="Expired", message="too old")
    async with served(stream(line("ADDED", x=1), expired)) as cluster:
        with pytest.raises(Expired):
            await collect(cluster)


async def test_an_unknown_error_in_the_stream_is_raised_too() -> None:
    async with served(stream(line("ERROR"))) as cluster:
        with pytest.raises(ApiError):
            await collect(cluster)


@pytest.mark.parametrize("noise", [b"<html>\n", b"7\n", b"{}\n"])
async def test_what_is_no_event_is_unreachable(noise: bytes) -> None:
    async with served(stream(noise)) as cluster:
        with pytest.raises(Unreachable):
            await collect(cluster)


async def test_a_refused_watch_is_raised() -> None:
    script = Script(lambda: failure(403, "Forbidden"))
    async with served(script) as cluster:
        with pytest.raises(Forbidden):
            await collect(cluster)

    query = script.requests[0].query
    assert query["watch"] == query["allowWatchBookmarks"] == "true"
    assert query["resourceVersion"] == "5"


async def test_a_silent_watch_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "SILENCE_SECONDS", 0.05)
    hang = asyncio.Event()
    async with served(stream(line("ADDED", x=1), hang=hang)) as cluster:
        try:
            with pytest.raises(Unreachable):
                await collect(cluster)
        finally:
            hang.set()


async def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haikube.cluster.watching.LONGEST_LINE", 100)
    async with served(stream(b"x" * 101)) as cluster:
        with pytest.raises(Unreachable, match="over 100 bytes"):
            await collect(cluster)


async def test_a_log_is_passed_on_as_it_comes() -> None:
    seen: list[Json] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(dict(request.query))
        return await stream(b"one\n", b"two\n")(request)

    async with served(handler) as cluster:
        followed = [c async for c in cluster.pod_log("p", "ns", container="dyno", follow=True)]
        plain = [c async for c in cluster.pod_log("p", "ns")]

    assert b"".join(followed) == b"".join(plain) == b"one\ntwo\n"
    assert seen == [{"follow": "true", "container": "dyno"}, {}]
