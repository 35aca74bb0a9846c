"""What a client types, as the dyno is to see it.

The Heroku command line has one word for the end of its input, the byte 0x04. A terminal takes it as
such at the beginning of a line; behind other input it only hands over the line.
"""

from __future__ import annotations

from typing import Final, NamedTuple

EOF: Final = 0x04
_LINE_END: Final = frozenset(b"\n\r\x04")


class Typed(NamedTuple):
    """Bytes for the dyno, and whether its input is over."""

    data: bytes
    over: bool = False


class Keys:
    """One client's input; within ``at_once`` seconds only a program sends the next byte."""

    def __init__(self, *, tty: bool, at_once: float = 0.05) -> None:
        self._tty = tty
        self._at_once = at_once
        self._last = 0x0A
        self._since = 0.0

    def take(self, data: bytes, now: float) -> Typed:
        """Return what a frame that came at ``now`` means."""
        if not data:
            return Typed(b"")
        if not self._tty:
            over = data[-1] == EOF
            return Typed(data[:-1] if over else data, over)
        given = data
        if data[-1] == EOF and self._ends_a_program(data, now):
            given = data + bytes([EOF])
        self._last, self._since = data[-1], now
        return Typed(given)

    def _ends_a_program(self, data: bytes, now: float) -> bool:
        """Tell whether a program's input ends within a line: the first 0x04 hands over the rest."""
        if len(data) > 1:
            return data[-2] not in _LINE_END
        return self._last not in _LINE_END and now - self._since < self._at_once
