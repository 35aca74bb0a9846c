"""``heroku run`` over HTTP: the dyno that is made, and the session that joins it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partialmethod
from typing import Any

import aiohttp
import pytest

from haikube.cluster.port import Json, Stream
from haikube.model.resources import DYNOS, PODS
from haikube.run.session import Session
from world import NAMESPACE, TOKEN, USER, World, running

PROTOCOL = "haikube.attach.v1"
SOON = 5.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with (
        running(ledger=True) as platform,
        aiohttp.request("GET", f"{platform.url}/readyz"),
    ):
        app = platform.cluster.app("hello")
        await platform.ledger.deploy(app)
        observed = platform.app.state.context.observed
        assert await observed.until(lambda: len(observed.all(PODS)) or None, SOON)
        yield platform


@pytest.fixture
async def http(world: World) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(world.url, headers=headers) as session:
        yield session


class Process:
    """The streams of a dyno that a test plays."""

    def __init__(self, code: int | None = None) -> None:
        self.exit_code = code
        self.given: asyncio.Queue[object] = asyncio.Queue()
        self.printed: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def send(self, data: bytes) -> None:
        self.given.put_nowait(data)

    async def end_input(self) -> None:
        self.given.put_nowait("end")

    async def resize(self, columns: int, rows: int) -> None:
        self.given.put_nowait((columns, rows))

    async def output(self) -> AsyncIterator[bytes]:
        while (data := await self.printed.get()) is not None:
            yield data


async def run(http: aiohttp.ClientSession, path: str = "", **wish: Any) -> tuple[int, Json]:
    async with http.post(f"/apps/hello/dynos{path}", json=wish) as answer:
        return answer.status, await answer.json()


async def made(world: World) -> Json:
    (dyno,) = (await world.cluster.list(DYNOS)).items
    return dict(dyno)


def starts(world: World, dyno: Json, process: Process) -> list[Stream]:
    """Let the dyno's pod run, and play its process; returns which streams were joined."""
    joined: list[Stream] = []

    def channel(stream: Stream) -> Process:
        joined.append(stream)
        return process

    world.cluster.channels = channel
    pod(world, dyno, {"running": {"startedAt": "2026-01-01T00:00:00Z"}})
    return joined


def pod(world: World, dyno: Json, state: Json) -> None:
    meta = dyno["metadata"]
    world.cluster.seed(
        PODS,
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": meta["name"],
                "namespace": NAMESPACE,
                "labels": {"haikube.dev/app": "hello", "haikube.dev/component": "one-off"},
            },
            "spec": {"containers": [{"name": "dyno", "args": ["x"], "stdin": True}]},
            "status": {
                "phase": "Running",
                "containerStatuses": [{"containerID": "c", "state": state}],
            },
        },
    )


def secret(body: Json) -> dict[str, str]:
    scheme, _, rest = body["attach_url"].partition("://")
    assert scheme == "rendezvous"
    return {"Haikube-Capability": rest.partition("/")[2]}


async def test_a_detached_run(world: World, http: aiohttp.ClientSession) -> None:
    status, body = await run(http, command="rake db:migrate", env={"A": "b"}, size="Standard-1X")
    dyno = await made(world)

    assert (status, body["type"], body["state"]) == (201, "run", "starting")
    assert (body["size"], body["attach_url"]) == ("Standard-1X", None)
    assert body["name"] == f"run.{dyno['metadata']['name'].rpartition('-')[2]}"
    assert dyno["spec"]["command"] == ["rake db:migrate"]
    assert dyno["spec"]["env"] == [{"name": "A", "value": "b"}]
    assert dyno["spec"]["keepSeconds"] == 3600
    assert dyno["metadata"]["annotations"]["haikube.dev/author"] == USER


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({}, "command"),
        ({"command": " "}, "what to run"),
        ({"command": "x" * 40_000}, "longer than 32768 bytes"),
        ({"command": "x", "size": "huge"}, "no dyno size huge"),
        ({"command": "x", "type": "a b"}, "must be letters"),
        ({"command": "x", "time_to_live": 100_000}, "1 to 86400"),
        ({"command": "x", "env": {"A-B": "c"}}, "cannot name a variable"),
        ({"command": "x", "env": {"A": "b\0c"}}, "The value of A is no text"),
        ({"command": "x", "env": {"A": "b" * 70_000}}, "at most 65,536 are possible"),
    ],
)
async def test_what_cannot_be_run(
    world: World, http: aiohttp.ClientSession, wish: Json, told: str
) -> None:
    status, body = await run(http, **wish)
    assert status in {400, 422}, body
    assert told in body["message"]
    assert (await world.cluster.list(DYNOS)).items == ()


async def test_an_app_without_code_runs_nothing(world: World, http: aiohttp.ClientSession) -> None:
    world.cluster.app("empty")
    async with http.post("/apps/empty/dynos", json={"command": "x"}) as answer:
        assert answer.status == 422
        assert "push code first" in (await answer.json())["message"]


async def test_a_session_from_the_first_byte_to_the_exit_code(
    world: World, http: aiohttp.ClientSession
) -> None:
    env = {"TERM": "xterm", "COLUMNS": 100, "LINES": 30}
    _, body = await run(http, command="bash", attach=True, env=env)
    dyno, process = await made(world), Process()
    async with http.ws_connect("/attach", protocols=(PROTOCOL,), headers=secret(body)) as socket:
        joined = starts(world, dyno, process)
        assert await socket.receive_json() == {"state": "up"}
        await socket.send_bytes(b"ls\n")
        await socket.send_json({"resize": {"columns": 80, "rows": 24}})
        given = [await process.given.get() for _ in range(4)]
        process.printed.put_nowait(b"file\r\n")
        assert (await socket.receive()).data == b"file\r\n"
        pod(world, dyno, {"terminated": {"exitCode": 3}})
        process.printed.put_nowait(None)
        assert await socket.receive_json() == {"exit": 3}
        assert (await socket.receive()).data == 1000

    assert given == [(100, 30), b"\n", b"ls\n", (80, 24)]
    assert [(each.tty, each.command) for each in joined] == [(True, ())]


async def test_an_exit_code_that_is_asked_for_is_the_last_line(
    world: World, http: aiohttp.ClientSession
) -> None:
    command = 'exit 3 ; echo "\uffff heroku-command-exit-status: $?"'
    _, body = await run(http, command=command, attach=True, force_no_tty=True)
    dyno, process = await made(world), Process()
    assert (dyno["spec"]["command"], dyno["spec"]["tty"]) == (["exit 3"], False)
    async with http.ws_connect("/attach", protocols=(PROTOCOL,), headers=secret(body)) as socket:
        starts(world, dyno, process)
        assert await socket.receive_json() == {"state": "up"}
        await socket.send_bytes(b"in\n\x04")
        assert [await process.given.get() for _ in range(3)] == [b"\n", b"in\n", "end"]
        pod(world, dyno, {"terminated": {"exitCode": 3}})
        process.printed.put_nowait(None)
        line = (await socket.receive()).data
        assert line.decode() == "\uffff heroku-command-exit-status: 3\n"


async def test_a_client_that_goes_lets_the_operator_end_the_dyno(
    world: World, http: aiohttp.ClientSession
) -> None:
    _, body = await run(http, command="bash", attach=True)
    dyno = await made(world)
    before = dyno["metadata"]["annotations"]["haikube.dev/session-until"]
    async with http.ws_connect("/attach", protocols=(PROTOCOL,), headers=secret(body)) as socket:
        starts(world, dyno, Process())
        assert await socket.receive_json() == {"state": "up"}
    observed = world.app.state.context.observed

    def ended() -> bool | None:
        notes = observed.all(DYNOS)[0]["metadata"]["annotations"]
        return True if notes["haikube.dev/session-until"] < before else None

    assert await observed.until(ended, SOON)


async def test_a_session_that_a_kubelet_let_go_of_leaves_nothing_running(
    world: World, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The streams end as if the process had; its container runs on."""
    monkeypatch.setattr("haikube.api.streams.attach._END_SECONDS", 0.05)
    _, body = await run(http, command="bash", attach=True)
    dyno, process = await made(world), Process()
    before = dyno["metadata"]["annotations"]["haikube.dev/session-until"]
    async with http.ws_connect("/attach", protocols=(PROTOCOL,), headers=secret(body)) as socket:
        starts(world, dyno, process)
        assert await socket.receive_json() == {"state": "up"}
        process.printed.put_nowait(None)
        message = await socket.receive()

    assert (message.data, message.extra[:29]) == (1011, "its node let go of the session"[:29])
    notes = (await made(world))["metadata"]["annotations"]
    assert notes["haikube.dev/session-until"] < before


@pytest.mark.parametrize("lost", ["removed", "stopping for long"])
async def test_a_session_whose_node_is_lost_says_so(
    world: World, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(Session, "__init__", partialmethod(Session.__init__, lost_after=0.05))
    _, body = await run(http, command="bash", attach=True)
    dyno = await made(world)
    async with http.ws_connect("/attach", protocols=(PROTOCOL,), headers=secret(body)) as socket:
        starts(world, dyno, Process())
        assert await socket.receive_json() == {"state": "up"}
        if lost == "removed":
            await world.cluster.delete(PODS, dyno["metadata"]["name"], NAMESPACE)
        else:
            found = await world.cluster.get(PODS, dyno["metadata"]["name"], NAMESPACE)
            meta = {**found["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}
            world.cluster.seed(PODS, {**found, "metadata": meta})
        message = await socket.receive()
        assert (message.data, message.extra[:17]) == (1011, "the dyno was lost")


async def test_a_session_is_joined_once(world: World, http: aiohttp.ClientSession) -> None:
    _, body = await run(http, command="bash", attach=True)
    starts(world, await made(world), Process())
    async with http.ws_connect("/attach", protocols=(PROTOCOL,), headers=secret(body)) as socket:
        assert await socket.receive_json() == {"state": "up"}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect("/attach", protocols=(PROTOCOL,), headers=secret(body))
        assert refused.value.status == 404


async def test_a_secret_that_is_none(http: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/attach", headers={"Haikube-Capability": "x" * 40})
    assert refused.value.status == 404


async def test_a_dyno_that_cannot_start_says_why(world: World, http: aiohttp.ClientSession) -> None:
    _, body = await run(http, command="bash", attach=True)
    dyno = await made(world)
    told = {"type": "Succeeded", "status": "False", "message": "the image cannot be pulled"}
    stalled = {"type": "Stalled", "status": "True", "message": "the image cannot be pulled"}
    world.cluster.seed(DYNOS, {**dyno, "status": {"conditions": [told, stalled]}})
    async with http.ws_connect("/attach", protocols=(PROTOCOL,), headers=secret(body)) as socket:
        message = await socket.receive()
        assert (message.data, message.extra) == (1011, "the image cannot be pulled")


async def test_a_process_inside_a_dyno_that_runs(world: World, http: aiohttp.ClientSession) -> None:
    process = Process(code=5)
    joined: list[Stream] = []

    def channel(stream: Stream) -> Process:
        joined.append(stream)
        return process

    world.cluster.channels = channel
    pods = world.app.state.context.observed.all(PODS)
    spec = {"containers": [{"name": "dyno"}]}
    status = {**pods[0]["status"], "phase": "Running"}
    world.cluster.seed(PODS, {**pods[0], "spec": spec, "status": status})
    await asyncio.sleep(0.05)
    status, body = await run(http, "/web.1", command="ls")
    assert (status, body["name"]) == (201, "web.1"), body
    async with http.ws_connect("/attach", protocols=(PROTOCOL,), headers=secret(body)) as socket:
        assert await socket.receive_json() == {"state": "up"}
        process.printed.put_nowait(None)
        assert await socket.receive_json() == {"exit": 5}
    assert joined[0].command[:2] == ("/haikube/dyno", "inside")
    assert joined[0].command[3:] == ("/haikube/start", "ls")
