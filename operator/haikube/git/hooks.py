"""Where hooks call: a unix socket of this process, one call per push.

A hook names its push by a random id that was given to that one git process alone.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import secrets
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

import structlog

from haikube.git import hook
from haikube.git.console import Console, HookConsole
from haikube.git.manifest import is_object

_LONGEST_CALL: Final = 1 << 20
_FIELDS: Final = 3

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Update:
    """One ref the client wants to move."""

    old: str
    new: str
    ref: str


@dataclass(frozen=True, slots=True)
class Call:
    """What a hook asks about; ``shallow`` says that what was sent lacks some history."""

    updates: tuple[Update, ...]
    shallow: bool


Verdict = Callable[[Call, Console], Awaitable[bool]]
"""Decides a push; True tells the client that the refs have moved."""


class Hooks:
    """The socket, the directory of hooks for ``core.hooksPath``, and the pushes that may call."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "hooks"
        self.socket = directory / "push.sock"
        self._waiting: dict[str, Verdict] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Write the hook and listen."""
        self.path.mkdir(parents=True, exist_ok=True)
        program = self.path / "proc-receive"
        program.write_text(f"#!{sys.executable} -IS\n{_text(hook)}")
        program.chmod(0o555)
        self._server = await asyncio.start_unix_server(
            self._answer, path=self.socket, limit=_LONGEST_CALL
        )
        self.socket.chmod(0o600)

    async def stop(self) -> None:
        """Stop listening; calls in flight go on."""
        if self._server is not None:
            self._server.close()

    def expect(self, verdict: Verdict) -> dict[str, str]:
        """Return the environment that lets one git process call for ``verdict``, once."""
        push = secrets.token_hex(16)
        self._waiting[push] = verdict
        return {"HAIKUBE_PUSH": push, "HAIKUBE_SOCKET": str(self.socket)}

    def forget(self, env: dict[str, str]) -> None:
        """Withdraw what ``expect`` allowed."""
        self._waiting.pop(env["HAIKUBE_PUSH"], None)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        console = HookConsole(writer)
        accepted = False
        try:
            push, call = parse_call(await reader.readline())
            accepted = await self._waiting.pop(push)(call, console)
        except (KeyError, TypeError, ValueError) as error:
            _log.warning("hook call refused", error=str(error))
        finally:
            with suppress(ConnectionError):
                await console.exit(0 if accepted else 1)
            with suppress(ConnectionError):
                writer.close()
                await writer.wait_closed()


def parse_call(line: bytes) -> tuple[str, Call]:
    """Return push id and call of a hook's line; raises what JSON of another shape causes."""
    body = json.loads(line)
    updates = []
    for fields in body["updates"]:
        if len(fields) != _FIELDS or not (is_object(fields[0]) and is_object(fields[1])):
            raise ValueError(f"bad update {fields!r}")
        updates.append(Update(*fields))
    return str(body["push"]), Call(tuple(updates), body["shallow"] is True)


def _text(module: ModuleType) -> str:
    return inspect.getsource(module)
