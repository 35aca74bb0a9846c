"""What the person who pushes sees: lines for git's side band, written as they come.

Output of a build is untrusted, and so is what our own lines quote: paths, messages, names. Control
characters are dropped, colours are kept, endless lines are cut. A reader that stalls is given up
on; the push goes on without it.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Final

from haikube.model.screen import clean

_LONGEST_LINE: Final = 10_000
_UNREAD_LIMIT: Final = 1 << 20
_STALL_SECONDS: Final = 30.0


class Console(ABC):
    """Takes lines, wherever they are shown."""

    def __init__(self) -> None:
        self._partial = b""
        self._open = False

    @abstractmethod
    async def _say(self, text: str) -> None:
        """Show text that is clean already."""

    async def line(self, text: str = "") -> None:
        """Print one line of ours, or the end of one."""
        self._open = False
        await self._say(f"{clean(text)}\n")

    async def begin(self, text: str) -> None:
        """Print the beginning of a line of ours."""
        self._open = True
        await self._say(clean(text))

    async def output(self, data: bytes) -> None:
        """Print what a build wrote, in whole lines.

        All lines of a chunk are said at once: a stream whose reader is slow counts what waits at
        each write, so that many small ones cost their number squared, and everybody's time.
        """
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > _LONGEST_LINE:
            lines, self._partial = [*lines, self._partial], b""
        if lines:
            cut = (line[:_LONGEST_LINE].decode(errors="replace") for line in lines)
            self._open = False
            await self._say("".join(f"{clean(line)}\n" for line in cut))

    async def end_line(self) -> None:
        """End a line that was begun, by us or by a build."""
        if self._partial:
            await self.output(b"\n")
        if self._open:
            await self.line()


class HookConsole(Console):
    """Writes to the hook, and through it to git's client."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__()
        self._writer = writer
        self._lost = False

    async def _say(self, text: str) -> None:
        await self._send({"say": text})

    async def exit(self, status: int) -> None:
        """Tell the hook how to end."""
        await self._send({"exit": status})

    async def _send(self, message: dict[str, object]) -> None:
        if self._lost or self._writer.is_closing():
            return
        self._writer.write(json.dumps(message).encode() + b"\n")
        transport = self._writer.transport
        if transport.get_write_buffer_size() < _UNREAD_LIMIT:
            return
        try:
            await asyncio.wait_for(self._writer.drain(), _STALL_SECONDS)
        except (TimeoutError, ConnectionError):
            self._lost = True


class Printout(Console):
    """The same lines as a stream of text, for who follows without git."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def _say(self, text: str) -> None:
        self._pages.put_nowait(text.encode())

    async def of(self, work: Coroutine[Any, Any, None]) -> AsyncGenerator[bytes, None]:
        """Yield what ``work`` prints, until it ends; it ends with its reader."""
        task = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._pages.put_nowait(None))
        try:
            while (page := await self._pages.get()) is not None:
                yield page
            await task
        finally:
            task.cancel()
