"""The streams of a process over one WebSocket: Kubernetes' ``v5.channel.k8s.io``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp

from haikube.cluster.errors import ApiError, Unreachable, from_status
from haikube.cluster.port import Stream

PROTOCOL: Final = "v5.channel.k8s.io"

_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255


class SocketChannel:
    """See ``port.Channel``."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, place: str) -> None:
        self._socket = socket
        self._place = place
        self._status: dict[str, Any] | None = None

    async def send(self, data: bytes) -> None:
        """Give input."""
        await self._socket.send_bytes(bytes([_STDIN]) + data)

    async def end_input(self) -> None:
        """Close the input."""
        await self._socket.send_bytes(bytes([_CLOSE, _STDIN]))

    async def resize(self, columns: int, rows: int) -> None:
        """Say how large the terminal is."""
        size = json.dumps({"Width": columns, "Height": rows}).encode()
        await self._socket.send_bytes(bytes([_RESIZE]) + size)

    async def output(self) -> AsyncIterator[bytes]:
        """Yield what is printed until the process ends."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel in {_STDOUT, _STDERR} and data:
                yield data
            elif channel == _ERROR:
                self._status = json.loads(data)
                self._raise_refusal()
        if self._status is None:
            raise Unreachable(0, "Unreachable", f"{self._place} was cut off")

    @property
    def exit_code(self) -> int | None:
        """Return how the process ended."""
        if self._status is None:
            return None
        if self._status.get("status") == "Success":
            return 0
        for cause in (self._status.get("details") or {}).get("causes") or ():
            if cause.get("reason") == "ExitCode" and str(cause.get("message")).isdecimal():
                return int(cause["message"])
        return None

    def _raise_refusal(self) -> None:
        """Raise what the kubelet says went wrong, unless it is how the process ended."""
        status = self._status or {}
        if status.get("status") == "Success" or status.get("reason") == "NonZeroExitCode":
            return
        raise _refusal(status)


def parameters(stream: Stream) -> list[tuple[str, str]]:
    """Return the query of a request for these streams."""
    wanted = [
        ("container", stream.container),
        ("stdin", "true"),
        ("stdout", "true"),
        ("tty", "true" if stream.tty else "false"),
    ]
    if not stream.tty:  # with a terminal both come together, and a second one is refused
        wanted.append(("stderr", "true"))
    return [*wanted, *(("command", word) for word in stream.command)]


def _refusal(status: dict[str, Any]) -> ApiError:
    code = int(status.get("code") or 0)
    return from_status(code, str(status.get("reason") or ""), str(status.get("message") or ""))
