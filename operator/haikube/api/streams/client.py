"""The client of a session: what its WebSocket says, and what is said to it.

docs/spec/attach.md is the contract. It knows nothing of dynos.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from haikube.run.command import exit_line
from haikube.run.session import EndOfInput, Said, Size

FAILED: Final = 1011
"""Code of a close whose reason is for the person."""

_CLOSED: Final = 1000
_REASON: Final = 120


class Client:
    """The other end of the WebSocket; see ``session.Client``."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def said(self) -> AsyncIterator[Said]:
        """Yield what the client says until it goes."""
        while True:
            message = await self._socket.receive()
            if message["type"] != "websocket.receive":
                return
            if (data := message.get("bytes")) is not None:
                yield data
            elif (word := _word(message.get("text") or "")) is not None:
                yield word

    async def show(self, data: bytes) -> None:
        """Send output."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_bytes(data)

    async def tell(self, **what: object) -> None:
        """Send a word about the session."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_text(json.dumps(what))

    async def end(self, code: int | None, *, told: bool) -> None:
        """Say how the command ended; None when the client has gone before."""
        if code is None:
            return
        if told:
            await self.show(exit_line(code))
        await self.tell(exit=code)
        await self.close(_CLOSED, "")

    async def close(self, code: int, reason: str) -> None:
        """Close, with a reason for the person."""
        if self._socket.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._socket.close(code, reason.encode()[:_REASON].decode(errors="ignore"))


def _word(text: str) -> Said | None:
    """Return what a text frame says; None for words of another version."""
    try:
        said = json.loads(text)
        if said.get("eof"):
            return EndOfInput()
        return size_of(said["resize"]["columns"], said["resize"]["rows"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def size_of(columns: object, rows: object) -> Size | None:
    """Return a size that a terminal can have; clients also send 0 and nothing."""
    most = 10_000
    if str(columns).isdecimal() and str(rows).isdecimal():
        size = Size(int(str(columns)), int(str(rows)))
        if 0 < size.columns < most and 0 < size.rows < most:
            return size
    return None
