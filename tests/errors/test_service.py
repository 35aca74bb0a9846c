"""The errors service on loopback: hosts, methods, headers, probes and its line in the log."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import uvicorn
from structlog.testing import capture_logs

import builders as b
from haikube.cluster.fake import FakeCluster
from haikube.errors.hosts import Hosts, bare_host
from haikube.errors.service import PROBED, create_app
from haikube.model.resources import APPS, FORMATIONS
from stage import settings


@dataclass
class Visitor:
    """Asks the service; redirects and cookies are none of its business."""

    session: aiohttp.ClientSession
    port: int

    async def ask(
        self, host: str, path: str = "/", method: str = "GET", **options: Any
    ) -> tuple[int, str, aiohttp.ClientResponse]:
        headers = {"Host": host, **options.pop("headers", {})}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, url, headers=headers, **options) as answer:
            return answer.status, await answer.text(), answer


async def started(server: uvicorn.Server) -> None:
    for _ in range(2000):
        if server.started:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("the service does not start")


@asynccontextmanager
async def running(cluster: FakeCluster) -> AsyncIterator[Visitor]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = create_app(settings(domain="apps.test"), cluster)
        config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", http="httptools")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await started(server)
        try:
            async with aiohttp.ClientSession() as session:
                yield Visitor(session, listening.getsockname()[1])
        finally:
            server.should_exit = True
            await serving


def cluster_of(*objects: b.Raw) -> FakeCluster:
    cluster = FakeCluster()
    for obj in objects:
        cluster.seed(APPS if obj["kind"] == "App" else FORMATIONS, obj)
    return cluster


HELLO = b.app("hello", domains=[{"hostname": "www.example.com"}])


@pytest.mark.parametrize(
    ("host", "status", "title"),
    [
        ("hello.apps.test", 503, "Application error"),
        ("HELLO.apps.test.:8080", 503, "Application error"),
        ("www.example.com", 503, "Application error"),
        ("closed.apps.test", 503, "Down for maintenance"),
        ("nobody.apps.test", 404, "No such app"),
        ("apps.test", 404, "No such app"),
        ("10.1.2.3:8080", 404, "No such app"),
        ("x" * 300, 404, "No such app"),
    ],
)
async def test_the_host_says_whose_error_it_is(host: str, status: int, title: str) -> None:
    closed = b.app("closed", maintenance="Enabled")
    async with running(cluster_of(HELLO, closed)) as visitor:
        found, text, answer = await visitor.ask(host, "/some/path?q=1")

    assert (found, f"<h1>{title}</h1>" in text) == (status, True)
    assert answer.headers["Cache-Control"] == "no-cache, no-store"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Via"] == "1.1 haikube"


async def test_who_comes_before_the_route_has_followed_is_told_what_was_true() -> None:
    cluster = cluster_of(b.app("hello", maintenance="Enabled"), b.formation())
    async with running(cluster) as visitor:
        assert "Down for maintenance" in (await visitor.ask("hello.apps.test"))[1]
        await cluster.patch(APPS, "hello", "team", {"spec": {"maintenance": "Disabled"}})
        await asyncio.sleep(0.05)
        assert "Down for maintenance" in (await visitor.ask("hello.apps.test"))[1]


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
async def test_every_method_is_answered_and_no_body_is_read(method: str) -> None:
    async with running(cluster_of(HELLO)) as visitor:
        status, text, _ = await visitor.ask("hello.apps.test", "/x", method, data=b"x" * 100_000)

    assert status == 503
    assert bool(text) == (method != "HEAD")


async def test_an_upgrade_to_a_websocket_gets_the_status() -> None:
    async with running(cluster_of(HELLO)) as visitor:
        url = f"http://127.0.0.1:{visitor.port}/ws"
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await visitor.session.ws_connect(url, headers={"Host": "hello.apps.test"})

    assert caught.value.status == 503


async def test_probes_are_asked_by_a_host_that_no_app_has() -> None:
    async with running(cluster_of(HELLO)) as visitor:
        assert (await visitor.ask(PROBED, "/readyz"))[0] == 200
        assert (await visitor.ask(PROBED, "/healthz"))[0] == 200
        assert (await visitor.ask("hello.apps.test", "/readyz"))[0] == 503


async def test_one_line_says_what_the_router_of_heroku_says() -> None:
    given = {"X-Request-Id": "0123456789abcdef0123", "X-Forwarded-For": "192.0.2.1"}
    async with running(cluster_of(HELLO)) as visitor:
        with capture_logs() as lines:
            _, text, answer = await visitor.ask("hello.apps.test", "/a?token=x", headers=given)
            await visitor.ask("hello.apps.test", headers={"X-Request-Id": "<b>"})

    first, second = lines
    assert first == {
        "event": "refused",
        "log_level": "info",
        "at": "error",
        "code": "H14",
        "desc": "No web processes running",
        "method": "GET",
        "path": "/a",
        "host": "hello.apps.test",
        "request_id": given["X-Request-Id"],
        "fwd": "192.0.2.1",
        "protocol": "http",
        "status": 503,
        "app": "hello",
        "namespace": b.NAMESPACE,
    }
    assert answer.headers["X-Request-Id"] == given["X-Request-Id"]
    assert given["X-Request-Id"] in text
    assert second["request_id"] != "<b>"
    assert len(second["request_id"]) == 36


async def test_a_change_shows_at_once() -> None:
    cluster = cluster_of(HELLO)
    async with running(cluster) as visitor:
        assert "H14" in (await visitor.ask("hello.apps.test"))[1]
        await cluster.patch(APPS, "hello", b.NAMESPACE, {"spec": {"maintenance": "Enabled"}})
        for _ in range(100):
            _, text, _ = await visitor.ask("hello.apps.test")
            if "H80" in text:
                return
            await asyncio.sleep(0.01)
    raise AssertionError(text)


# Hosts


def test_an_older_app_has_a_host_that_two_ask_for() -> None:
    wish = {"domains": [{"hostname": "www.example.com"}]}
    older = b.app("older", **wish)
    newer = b.app("newer", metadata={"creationTimestamp": "2026-02-01T00:00:00Z"}, **wish)
    hosts = Hosts(lambda: [newer, older], settings(domain="apps.test"), lambda: 0.0)

    found = hosts.find("www.example.com")
    assert found is not None
    assert found.meta.name == "older"


def test_strangers_make_nobody_read_all_apps_more_than_once_a_second() -> None:
    reads, clock = [], [0.0]

    def apps() -> list[b.Raw]:
        reads.append(clock[0])
        return [HELLO] if clock[0] else []

    hosts = Hosts(apps, settings(domain="apps.test"), lambda: clock[0])
    assert [hosts.find("hello.apps.test") for _ in range(100)] == [None] * 100
    clock[0] = 1.5
    assert hosts.find("hello.apps.test") is not None
    assert reads == [0.0, 1.5]


@pytest.mark.parametrize(
    ("text", "host"),
    [("a.b:80", "a.b"), ("A.b.", "a.b"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("", "")],
)
def test_hosts_are_compared_bare(text: str, host: str) -> None:
    assert bare_host(text) == host
