"""``heroku run``: the CLI's raw protocol on one side, the platform's WebSocket on the other.

The CLI sends a secret and CR LF, throws away the first chunk it gets, and then takes and gives
plain bytes; docs/spec/attach.md says what the platform speaks. Must not buffer: who reads slowly
slows the other side down.
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from typing import Any, Final

import aiohttp

from haikube.bridge.profile import Login

PROTOCOL: Final = "haikube.attach.v1"
_SECRET: Final = re.compile(r"[A-Za-z0-9._~-]{16,3000}")
_GREETING: Final = b"rendezvous\r\n"
_FRAME: Final = 64 << 10
_LARGEST_FRAME: Final = 1 << 20
_PAUSES: Final = (0.5, 1.5, 3.0)
"""Between tries to reach the api, in seconds."""

_NOBODY: Final = 503
_HEARTBEAT_SECONDS: Final = 20.0
_LINGER_SECONDS: Final = 0.3
"""The CLI dies of a write to a closed connection, and may be writing its end of input."""


_LOST_CODE: Final = "\uffff heroku-command-exit-status: 255\n".encode()
"""What ``run -x`` reads when nobody knows how its command ended; without it the CLI crashes."""


class SessionLost(Exception):
    """The session ended before its command did; the message is for the person."""


async def join(
    session: aiohttp.ClientSession,
    login: Login,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Serve one connection of the CLI from its first line to its end."""
    greeted, told = False, False
    try:
        secret, told = _asked(await reader.readline())
        async with _joined(session, login, secret) as socket:
            await _until_up(socket)
            greeted = await _greet(writer)
            await _both_ways(socket, reader, writer)
    except SessionLost as lost:
        if not greeted:
            await _greet(writer)
        await _say(writer, f"\r\n !     {lost}\r\n".encode() + (_LOST_CODE if told else b""))
    except (OSError, ValueError):  # the CLI went away, or sent no line
        return
    await _linger(reader)


def _asked(line: bytes) -> tuple[str, bool]:
    """Return the secret, and whether the CLI waits for an exit code."""
    secret, _, query = line.decode("ascii", "replace").strip().partition("?")
    if not _SECRET.fullmatch(secret):
        raise SessionLost("This is no secret of a session. Start it again: heroku run")
    return secret, query == "told"


class _joined:  # noqa: N801 - used like a function
    """The platform's end of a session; raises ``SessionLost`` with the platform's own words."""

    def __init__(self, session: aiohttp.ClientSession, login: Login, secret: str) -> None:
        self._session = session
        self._api = login.api
        self._headers = {"Haikube-Capability": secret}

    async def __aenter__(self) -> aiohttp.ClientWebSocketResponse:
        for pause in (*_PAUSES, None):
            try:
                return await self._connected()
            except aiohttp.ClientError as error:
                if pause is None or not _is_passing(error):
                    raise SessionLost(self._why(error)) from error
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _connected(self) -> aiohttp.ClientWebSocketResponse:
        self._socket = await self._session.ws_connect(
            f"{self._api}/attach",
            protocols=(PROTOCOL,),
            headers=self._headers,
            heartbeat=_HEARTBEAT_SECONDS,
            max_msg_size=_LARGEST_FRAME,
        )
        return self._socket

    def _why(self, error: aiohttp.ClientError) -> str:
        if not isinstance(error, aiohttp.WSServerHandshakeError):
            return f"{self._api} does not answer ({error})."
        return (
            f"The platform does not know this session ({error.status}). Start it again: heroku run"
        )

    async def __aexit__(self, *_: object) -> None:
        with suppress(aiohttp.ClientError, OSError):
            await self._socket.close()


def _is_passing(error: aiohttp.ClientError) -> bool:
    """Tell whether the api was not there at all: then nobody has taken the secret."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return error.status == _NOBODY
    return isinstance(error, aiohttp.ClientConnectorError)


async def _until_up(socket: aiohttp.ClientWebSocketResponse) -> None:
    while _control(await _frame(socket, "The dyno did not start")).get("state") != "up":
        pass


async def _frame(
    socket: aiohttp.ClientWebSocketResponse, lost: str = "The session was lost"
) -> aiohttp.WSMessage:
    """Return the next frame; raises ``SessionLost`` when there is none."""
    message = await socket.receive()
    if message.type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}:
        return message
    why = message.extra if message.type is aiohttp.WSMsgType.CLOSE else ""
    raise SessionLost(f"{lost}: {(why or 'the platform went away').rstrip('.')}.")


async def _both_ways(
    socket: aiohttp.ClientWebSocketResponse,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    typing = asyncio.create_task(_input(socket, reader))
    output = asyncio.create_task(_output(socket, writer))
    try:
        await asyncio.wait((typing, output), return_when=asyncio.FIRST_COMPLETED)
        if not output.done():
            raise OSError("the CLI closed its connection")
        output.result()
    finally:
        typing.cancel()
        output.cancel()
        await asyncio.gather(typing, output, return_exceptions=True)


async def _input(socket: aiohttp.ClientWebSocketResponse, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(_FRAME):
        await socket.send_bytes(data)


async def _output(socket: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> None:
    """Pass on each frame as one write; end when the command has ended."""
    while True:
        message = await _frame(socket)
        if message.type is aiohttp.WSMsgType.BINARY:
            writer.write(message.data)
            await writer.drain()
        elif "exit" in _control(message):
            return


def _control(message: aiohttp.WSMessage) -> dict[str, Any]:
    """Return what a text frame says; frames of a newer platform may say more than we know."""
    if message.type is not aiohttp.WSMsgType.TEXT:
        return {}
    with suppress(ValueError):
        said = json.loads(message.data)
        return said if isinstance(said, dict) else {}
    return {}


async def _greet(writer: asyncio.StreamWriter) -> bool:
    """Write the chunk that the CLI throws away; what follows must not be glued to it."""
    await _say(writer, _GREETING)
    return True


async def _say(writer: asyncio.StreamWriter, data: bytes) -> None:
    with suppress(OSError):
        writer.write(data)
        await writer.drain()


async def _linger(reader: asyncio.StreamReader) -> None:
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(_FRAME):
                pass
