"""``heroku run`` through the bridge: the CLI's raw protocol here, frames there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp import WSMsgType, web

from bridge.local import TOKEN, Local, Upstream
from haikube.bridge.profile import save

SECRET = "capability-0123456789"
Script = Callable[[web.WebSocketResponse], Awaitable[None]]


def platform(upstream: Upstream, script: Script) -> None:
    async def attach(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/attach" or request.headers.get("Haikube-Capability") != SECRET:
            return web.json_response({"id": "not_found"}, status=404)
        socket = web.WebSocketResponse(protocols=("haikube.attach.v1",))
        await socket.prepare(request)
        assert socket.ws_protocol == "haikube.attach.v1"
        await script(socket)
        return socket

    upstream.handler = attach


async def test_bytes_go_both_ways_and_the_greeting_is_a_chunk_of_its_own(
    bridge: Local, upstream: Upstream
) -> None:
    async def cat(socket: web.WebSocketResponse) -> None:
        await socket.send_json({"state": "starting"})
        await socket.send_json({"state": "up"})
        async for message in socket:
            assert message.type is WSMsgType.BINARY
            if message.data == b"\x04":
                break
            await socket.send_bytes(message.data.upper())
        await socket.send_json({"exit": 3})

    platform(upstream, cat)
    reader, writer = await bridge.dial(tls=True)
    writer.write(f"{SECRET}\r\n".encode())
    assert await reader.read(1000) == b"rendezvous\r\n"
    writer.write("hällo".encode())
    assert await reader.readexactly(6) == "hällo".encode().upper()
    writer.write(b"\x04")
    assert await reader.read() == b""
    assert TOKEN not in str(upstream.seen[0].headers)


async def test_a_large_output_arrives_whole(bridge: Local, upstream: Upstream) -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_json({"state": "up"})
        for number in range(200):
            await socket.send_bytes(bytes([number]) * 65536)
        await socket.send_json({"exit": 0})

    platform(upstream, talk)
    reader, writer = await bridge.dial(tls=True)
    writer.write(f"{SECRET}\r\n".encode())
    said = await reader.read()
    assert said == b"rendezvous\r\n" + b"".join(bytes([n]) * 65536 for n in range(200))


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("another-capability-0123", b"does not know this session (404)"),
        ("../etc/passwd-0123456789", b"no secret of a session"),
        ("short", b"no secret of a session"),
    ],
)
async def test_a_session_that_nobody_knows_is_refused_in_words(
    bridge: Local, upstream: Upstream, secret: str, said: bytes
) -> None:
    async def never(_: web.WebSocketResponse) -> None:
        raise AssertionError

    platform(upstream, never)
    reader, writer = await bridge.dial(tls=True)
    writer.write(f"{secret}\r\n".encode())
    text = await reader.read()
    assert text.startswith(b"rendezvous\r\n")
    assert said in text


@pytest.mark.parametrize("up", [True, False])
async def test_a_session_that_is_lost_says_why(
    bridge: Local, upstream: Upstream, *, up: bool
) -> None:
    async def lose(socket: web.WebSocketResponse) -> None:
        if up:
            await socket.send_json({"state": "up"})
        await socket.close(code=1011, message=b"The dyno was evicted")

    platform(upstream, lose)
    reader, writer = await bridge.dial(tls=True)
    writer.write(f"{SECRET}\r\n".encode())
    text = await reader.read()
    assert text.startswith(b"rendezvous\r\n")
    lost = b"The session was lost" if up else b"The dyno did not start"
    assert lost + b": The dyno was evicted.\r\n" in text
    assert b"exit-status" not in text


async def test_whoever_waits_for_an_exit_code_gets_one_when_the_session_is_lost(
    bridge: Local, upstream: Upstream
) -> None:
    async def lose(socket: web.WebSocketResponse) -> None:
        await socket.send_json({"state": "up"})
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    platform(upstream, lose)
    reader, writer = await bridge.dial(tls=True)
    writer.write(f"{SECRET}?told\r\n".encode())
    text = (await reader.read()).decode()
    assert text.endswith(
        " !     The session was lost: the platform went away.\r\n"
        "\uffff heroku-command-exit-status: 255\n"
    )


async def test_a_platform_that_is_away_is_named(
    bridge: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haikube.bridge.rendezvous._PAUSES", ())
    save("default", replace(bridge.login, api="http://127.0.0.1:1"))
    reader, writer = await bridge.dial(tls=True)
    writer.write(f"{SECRET}\r\n".encode())
    assert b"http://127.0.0.1:1 does not answer" in await reader.read()


async def test_a_client_that_goes_away_ends_the_session(bridge: Local, upstream: Upstream) -> None:
    ended = asyncio.Event()

    async def wait(socket: web.WebSocketResponse) -> None:
        await socket.send_json({"state": "up"})
        async for _ in socket:
            pass
        ended.set()

    platform(upstream, wait)
    reader, writer = await bridge.dial(tls=True)
    writer.write(f"{SECRET}\r\n".encode())
    await reader.readline()
    writer.close()
    await asyncio.wait_for(ended.wait(), 60)


async def test_the_connection_is_held_for_a_moment_after_the_end(
    bridge: Local, upstream: Upstream
) -> None:
    async def end(socket: web.WebSocketResponse) -> None:
        await socket.send_json({"state": "up"})
        await socket.send_json({"exit": 0})

    platform(upstream, end)
    reader, writer = await bridge.dial(tls=True)
    writer.write(f"{SECRET}\r\n".encode())
    assert await reader.readline() == b"rendezvous\r\n"
    writer.write(b"\x04")
    await writer.drain()
    assert await reader.read() == b""
