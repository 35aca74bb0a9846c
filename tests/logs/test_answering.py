"""What a gateway must answer before a push is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from haikube.logs.answering import Gateway
from haikube.logs.booting import boot_problem
from haikube.model.resources import APPS
from haikube.model.route import CODE_HEADER, RELEASE_HEADER
from world import NAMESPACE, SharedCluster

HOST = "hello.localhost"


def answer(
    mark: str = "", status: int = 200, text: str = "", code: str = ""
) -> Callable[[], web.Response]:
    headers = {RELEASE_HEADER: mark} if mark else {}
    headers |= {CODE_HEADER: code} if code else {}
    return lambda: web.Response(status=status, text=text, headers=headers)


OLD, NEW = answer("v1"), answer("v2", 404)
NO_DYNO = answer("v2", 503, "no available server\n")
UNREACHED = answer("v2", 503, "<!DOCTYPE html>", "H99")
OWN_FAULT = answer("v2", 503, "<!DOCTYPE html>", "H13")
NO_ROUTE = answer("", 404, "404 page not found\n")
OWN_503 = answer("v2", 503, "closed on Sundays")


@asynccontextmanager
async def gateway(*answers: Callable[[], web.Response]) -> AsyncIterator[tuple[Gateway, list[str]]]:
    """Give one answer after the other, the last for ever."""
    left, hosts = list(answers), []

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        hosts.append(request.host)
        assert request.method == "GET"
        return (left[0] if len(left) == 1 else left.pop(0))()

    async with serving(serve) as asking:
        yield asking, hosts


@asynccontextmanager
async def serving(
    serve: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> AsyncIterator[Gateway]:
    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Gateway(f"http://127.0.0.1:{runner.addresses[0][1]}", 0.5, 0.001)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([NEW], 3),
        ([answer("v10")], 3),
        ([NO_ROUTE, NEW], 4),
        ([OLD, NEW, OLD, NEW], 6),  # replicas that do not know it all at once
        ([NO_DYNO, NEW], 4),
        ([UNREACHED, NEW], 4),
        ([OWN_FAULT, NEW], 3),
        ([OWN_503], 3),  # the app's own
    ],
)
async def test_it_is_asked_until_the_new_release_answers(
    answers: list[Callable[[], web.Response]], asked: int
) -> None:
    async with gateway(*answers) as (asking, hosts):
        assert not await asking.problem(HOST, 2)
        assert hosts == [HOST] * asked


async def test_an_answer_without_end_is_one() -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={RELEASE_HEADER: "v2"})
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(bytes(1 << 16))
        return response

    async with serving(endless) as asking:
        assert not await asking.problem(HOST, 2)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (OLD, "the gateway does not answer with it: status 200, of release v1"),
        (NO_ROUTE, "the gateway does not answer with it: status 404, of no release"),
        (answer("vain"), "status 200, of release vain"),
        (NO_DYNO, "it knows no dyno"),
    ],
)
async def test_what_it_answers_instead_is_told(
    last: Callable[[], web.Response], words: str
) -> None:
    async with gateway(last) as (asking, _):
        assert words in await asking.problem(HOST, 2)


async def test_a_closed_app_is_one_that_no_release_answers_for() -> None:
    async with gateway(NEW, OLD, answer("", 503, "maintenance")) as (asking, hosts):
        assert not await asking.closed_problem(HOST)
        assert hosts == [HOST] * 5
    async with gateway(NEW) as (asking, _):
        assert "release v2 answers" in await asking.closed_problem(HOST)


async def test_a_gateway_that_is_not_there_is_named() -> None:
    asking = Gateway("http://127.0.0.1:1", 0.05, 0.001)
    assert "http://127.0.0.1:1" in await asking.problem(HOST, 2)


@pytest.mark.parametrize(
    ("web_dynos", "spec", "words"),
    [
        ("1/1", {}, "release v1"),
        ("0/0", {}, ""),
        ("", {}, ""),
        ("1/1", {"maintenance": "Enabled"}, ""),
        ("1/1", {"maintenance": "Disabled"}, "release v1"),
    ],
)
async def test_only_what_requests_can_reach_is_asked_for(
    web_dynos: str, spec: dict[str, str], words: str
) -> None:
    cluster = SharedCluster()
    cluster.app("hello")
    ready = {"type": "Ready", "status": "True", "reason": "Serving", "message": "v2 serves"}
    status = {"currentRelease": {"version": 2}, "conditions": [ready], "host": HOST}
    status |= {"web": web_dynos} if web_dynos else {}
    await cluster.patch(APPS, "hello", NAMESPACE, {"spec": spec})
    await cluster.patch(APPS, "hello", NAMESPACE, {"status": status}, subresource="status")
    async with gateway(OLD) as (asking, _):
        place = (cluster, NAMESPACE, "hello", 2)
        problem = await boot_problem(*place, seconds=1, retry=0.01, gateway=asking)
    assert problem.endswith(words)
    assert bool(problem) is bool(words)
