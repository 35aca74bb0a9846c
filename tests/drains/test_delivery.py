"""A drain from end to end: targets over real TLS, retries, checkpoints, what is begun and ended."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from haikube.cluster.fake import FakeCluster
from haikube.cluster.port import Json
from haikube.drains.delivery import Delivery, Pace
from haikube.drains.guard import Guard
from haikube.drains.shipping import Checkpoints, Shipping
from haikube.drains.targets import Late, Unwanted, target_of
from haikube.logs.line import Line
from haikube.logs.position import Position
from haikube.model.drain import Drain, drain_data
from haikube.model.resources import APPS, SECRETS, Resource

PACE = Pace(pulse=0.05, gather=0.0, retry=0.01, longest=0.02)
SOON = 5.0
ID = "11111111-1111-1111-1111-111111111111"
LOCAL = Guard(["127.0.0.0/8", "::1/128"])


def line(number: int) -> Line:
    return Line(f"2026-01-01T00:00:{number:02}.000000000", "app", "web.1", f"line {number}")


class App:
    """An app that prints what a test says."""

    def __init__(self, *past: Line) -> None:
        self.before = list(past)
        self.printed: asyncio.Queue[list[Line]] = asyncio.Queue()
        self.taken = asyncio.Event()

    async def since(self, position: Position) -> list[Line]:
        return position.beyond().take(self.before)

    async def live(self, pulse: float) -> AsyncIterator[list[Line]]:
        assert pulse > 0
        while True:
            yield await self.printed.get()
            self.taken.set()


class Target:
    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.got: asyncio.Queue[Line] = asyncio.Queue()
        self.closed = False

    async def send(self, lines: list[Line]) -> None:
        if self.faults:
            raise self.faults.pop(0)
        for each in lines:
            self.got.put_nowait(each)

    async def close(self) -> None:
        self.closed = True

    async def take(self, count: int) -> list[str]:
        async with asyncio.timeout(SOON):
            return [(await self.got.get()).text for _ in range(count)]


def drain(url: str = "https://logs.example.com") -> Drain:
    return Drain(ID, url, "d.1", "2026-01-01T00:00:00Z")


async def test_a_batch_that_is_late_comes_again_and_nothing_is_lost() -> None:
    app, target = App(), Target(Late("503"), Late("reset"))
    delivery = Delivery(drain(), app, target, reached=Position(), pace=PACE)
    task = asyncio.create_task(delivery.run())
    app.printed.put_nowait([line(1), line(2)])
    assert await target.take(2) == ["line 1", "line 2"]
    app.printed.put_nowait([line(3)])
    assert await target.take(1) == ["line 3"]
    task.cancel()
    await asyncio.wait([task])
    assert str(delivery.reached).startswith(line(3).time)
    assert target.closed


async def test_what_a_target_does_not_want_does_not_stop_the_rest() -> None:
    app, target = App(), Target(Unwanted("it answers 400"))
    task = asyncio.create_task(Delivery(drain(), app, target, reached=Position(), pace=PACE).run())
    app.printed.put_nowait([line(1)])
    await asyncio.sleep(0.02)
    app.printed.put_nowait([line(2)])
    assert await target.take(1) == ["line 2"]
    task.cancel()


async def test_a_drain_goes_on_from_its_checkpoint() -> None:
    app, target = App(line(1), line(2), line(3)), Target()
    reached = Position()
    reached.advance([line(1)])
    task = asyncio.create_task(Delivery(drain(), app, target, reached=reached, pace=PACE).run())
    assert await target.take(2) == ["line 2", "line 3"]
    task.cancel()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what a server shows, and what a client trusts."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key, crt = folder / "key.pem", folder / "crt.pem"
    subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", str(key)),
            *("-addext", "subjectAltName=DNS:localhost", "-out", str(crt)),
        ),
        check=True,
        capture_output=True,
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(crt, key)
    return server, ssl.create_default_context(cafile=str(crt))


class Web:
    """An HTTPS target."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[tuple[dict[str, str], bytes]] = []

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        self.bodies.append((dict(request.headers), await request.read()))
        headers = {"Location": "https://elsewhere.example.com"} if self.status == 302 else {}
        return web.Response(status=self.status, headers=headers)


@pytest.fixture
async def https(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> AsyncIterator[tuple[Web, int]]:
    handler = Web()
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=tls[0]).start()
    yield handler, runner.addresses[0][1]
    await runner.cleanup()


async def test_https_in_logplex_framing(
    https: tuple[Web, int], tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    handler, port = https
    target = target_of(drain(f"https://localhost:{port}/in"), LOCAL, tls[1])
    await target.send([line(1), line(2)])
    headers, body = handler.bodies[0]
    assert headers["Content-Type"] == "application/logplex-1"
    assert (headers["Logplex-Msg-Count"], headers["Logplex-Drain-Token"]) == ("2", "d.1")
    assert body.count(b"app web.1 - line") == 2
    for status, kind in ((503, Late), (429, Late), (400, Unwanted), (410, Unwanted)):
        handler.status = status
        with pytest.raises(kind):
            await target.send([line(1)])
    await target.close()


async def test_a_private_target_is_not_reached_and_a_redirect_not_followed(
    https: tuple[Web, int], tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    handler, port = https
    for url in (f"https://localhost:{port}", f"https://127.0.0.1:{port}"):
        target = target_of(drain(url), Guard(), tls[1])
        with pytest.raises(Late, match="may not reach"):
            await target.send([line(1)])
        await target.close()
    assert handler.bodies == []
    handler.status = 302
    target = target_of(drain(f"https://localhost:{port}"), LOCAL, tls[1])
    await target.send([line(1)])
    assert len(handler.bodies) == 1
    await target.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused(https: tuple[Web, int]) -> None:
    trusting = ssl.create_default_context()
    target = target_of(drain(f"https://localhost:{https[1]}"), LOCAL, trusting)
    with pytest.raises(Late):
        await target.send([line(1)])
    await target.close()


class Syslog:
    """A syslog target that goes away after each message."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            length = int((await reader.readuntil(b" ")).strip())
            self.got.put_nowait(await reader.readexactly(length))
        writer.close()


async def test_syslog_over_tls_opens_again_and_sends_again_what_may_be_lost(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    syslog = Syslog()
    server = await asyncio.start_server(syslog, "localhost", 0, ssl=tls[0])
    port = server.sockets[0].getsockname()[1]
    target = target_of(drain(f"syslog+tls://localhost:{port}"), LOCAL, tls[1])
    await target.send([line(1)])
    async with asyncio.timeout(SOON):
        first = await syslog.got.get()
        while True:
            try:
                await target.send([line(2)])
                second = await asyncio.wait_for(syslog.got.get(), 0.2)
                break
            except (Late, TimeoutError):
                await asyncio.sleep(0.01)
    assert (first.split()[2], first.split()[-1], second.split()[-1]) == (b"d.1", b"1", b"1")
    await target.close()
    server.close()


async def test_what_was_missed_waits_for_its_target_and_what_comes_does_not() -> None:
    old = [Line(f"2026-01-01T00:00:00.{n:09}", "app", "web.1", f"{n}") for n in range(20_000)]
    app, target = App(*old), Target(Late("503"))
    delivery = Delivery(drain(), app, target, reached=Position(), pace=PACE)
    task = asyncio.create_task(delivery.run())
    assert await target.take(20_000) == [each.text for each in old]
    target.faults = [Late("503")] * 1000
    new = [each._replace(time="2126" + each.time[4:]) for each in old]
    app.printed.put_nowait(new)
    async with asyncio.timeout(SOON):
        await app.taken.wait()
    target.faults.clear()
    assert (await target.take(1))[0].startswith("Error L10 (output buffer overflow): drain 'd.1'")
    assert await target.take(5000) == [each.text for each in new[-5000:]]
    task.cancel()


class Sight:
    def __init__(self) -> None:
        self.app: Json = {"metadata": {"name": "hello", "namespace": "team", "uid": "u1"}}
        self.secret: Json | None = None

    def all(self, resource: Resource, namespace: str | None = None) -> list[Json]:
        assert (resource, namespace) == (APPS, None)
        return [self.app]

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        assert (resource, namespace, name) == (SECRETS, "team", "hello-drains")
        return self.secret

    def add(self, *drains: Drain, owner: str = "u1") -> None:
        data = {key: text for each in drains for key, text in drain_data(each).items()}
        self.secret = {"metadata": {"ownerReferences": [{"uid": owner}]}, "data": data}


async def test_deliveries_follow_the_secrets_of_their_own_apps() -> None:
    sight = Sight()
    asked: list[Json] = []

    def source(app: Json) -> App:
        asked.append(app)
        return App()

    checkpoints = Checkpoints(FakeCluster(), "haikube-system")
    shipping = Shipping(sight, checkpoints, source, Guard(), ssl.create_default_context())
    sight.add(drain(), owner="another")
    shipping.look({})
    assert asked == []
    sight.add(drain())
    shipping.look({})
    shipping.look({})
    assert asked == [sight.app]
    sight.secret = None
    shipping.look({})
    assert shipping._running == {}


async def test_checkpoints_are_kept_and_forgotten_with_their_drains() -> None:
    cluster = FakeCluster()
    checkpoints = Checkpoints(cluster, "haikube-system")
    assert await checkpoints.read() == {}
    await checkpoints.save({"a": "1", "b": ""})
    await checkpoints.save({"a": "2", "c": "1"})
    assert await Checkpoints(cluster, "haikube-system").read() == {"a": "2", "c": "1"}
    writes = len(cluster.writes)
    await checkpoints.save({"a": "2", "c": "1"})
    assert len(cluster.writes) == writes
    await checkpoints.save({"c": "1"})
    assert await Checkpoints(cluster, "haikube-system").read() == {"c": "1"}
