"""The build log: what the user reads live, and a bounded copy that is kept.

Every byte a buildpack prints is hostile: invalid UTF-8 is replaced, a huge line is cut into
pieces, and after the limit only the tail of a step is shown, since that is where its error is.
The engine's own lines always get through.
"""

from __future__ import annotations

from collections import deque
from typing import BinaryIO

LINE_BYTES = 16 * 1024
TAIL_LINES = 200
INDENT = "       "


class Transcript:
    """Writes whole lines to ``out`` and remembers them up to ``limit`` bytes."""

    def __init__(self, out: BinaryIO, limit: int) -> None:
        self._out = out
        self._limit = limit
        self._kept = bytearray()
        self._pending = bytearray()
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._output_bytes = 0
        self._dropped = 0
        self._over = False

    def topic(self, text: str) -> None:
        """Print the title of a step, ``-----> text``."""
        self.line(f"-----> {text}")

    def detail(self, text: str) -> None:
        """Print a line below a title."""
        self.line(f"{INDENT}{text}" if text else "")

    def warning(self, text: str) -> None:
        """Print a line that Heroku marks with an exclamation mark."""
        self.line(f" !     {text}")

    def line(self, text: str) -> None:
        """Print a line of the engine; it is never dropped."""
        self.flush()
        for piece in text.split("\n"):
            self._emit(piece.encode("utf-8", "replace") + b"\n")

    def output(self, data: bytes) -> None:
        """Take raw bytes of a buildpack; complete lines are printed at once."""
        self._pending += data
        *lines, rest = self._pending.split(b"\n")
        self._pending = bytearray(rest)
        for line in lines:
            self._output_line(bytes(line))
        while len(self._pending) >= LINE_BYTES:
            self._output_line(bytes(self._pending[:LINE_BYTES]))
            del self._pending[:LINE_BYTES]

    def flush(self) -> None:
        """Print what is pending, and the tail of what went over the limit."""
        if self._pending:
            self._output_line(bytes(self._pending))
            self._pending.clear()
        if self._dropped:
            self._show_tail()

    def content(self) -> bytes:
        """Return the copy to keep."""
        self.flush()
        return bytes(self._kept)

    def _output_line(self, line: bytes) -> None:
        text = _printable(line)
        for start in range(0, len(text) or 1, LINE_BYTES):
            self._take(text[start : start + LINE_BYTES] + b"\n")

    def _take(self, piece: bytes) -> None:
        if not self._over and self._output_bytes + len(piece) <= self._limit:
            self._output_bytes += len(piece)
            self._emit(piece)
            return
        self._over = True
        if not self._dropped:
            self._emit(
                f" !     The log is over {self._limit} bytes: what follows is left out, "
                "its last lines are shown at the end of this step\n".encode()
            )
        self._dropped += 1
        self._tail.append(piece)

    def _show_tail(self) -> None:
        missing = self._dropped - len(self._tail)
        self._emit(f" !     ... {missing} lines left out ...\n".encode())
        for piece in self._tail:
            self._emit(piece)
        self._tail.clear()
        self._dropped = 0

    def _emit(self, line: bytes) -> None:
        self._out.write(line)
        self._out.flush()
        self._kept += line


def _printable(line: bytes) -> bytes:
    """Keep text and colours; drop the carriage returns of progress bars but for the last state."""
    last = line.rstrip(b"\r").rsplit(b"\r", 1)[-1]
    return last.decode("utf-8", "replace").replace("\0", "").encode()
