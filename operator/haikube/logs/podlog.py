"""Reads the log of a pod as the kubelet sends it: timestamped lines, cut to a bounded length."""

from __future__ import annotations

from typing import Final, NamedTuple

from haikube.logs.line import LONGEST, pieces, read_stamp

_STAMP: Final = 40
"""Bytes that a timestamp and its space may take."""


class Printed(NamedTuple):
    """What a dyno printed: when, as ``Line.time``, and the bytes without the line's end."""

    time: str
    raw: bytes


class Reader:
    """Makes lines of chunks; never holds more than one line of ``LONGEST`` bytes."""

    def __init__(self) -> None:
        self._rest = b""
        self._time = ""

    def feed(self, chunk: bytes) -> list[Printed]:
        """Return the lines, or parts of long ones, that are complete with this chunk."""
        *whole, rest = (self._rest + chunk).split(b"\n")
        found: list[Printed] = []
        for line in whole:
            self._take(line, found)
            self._time = ""
        if len(rest) > LONGEST + _STAMP:
            rest = self._begin(rest, found)
        self._rest = rest
        return found

    def end(self) -> list[Printed]:
        """Return what was begun and never ended."""
        return self.feed(b"\n") if self._rest else []

    def _take(self, line: bytes, found: list[Printed]) -> None:
        text = line
        if not self._time:
            head, _, text = line.partition(b" ")
            self._time = _time(head)
        elif not line:
            return
        self._give(text, found)

    def _begin(self, line: bytes, found: list[Printed]) -> bytes:
        """Give out all but the last part of a line that is still being printed."""
        if not self._time:
            head, _, line = line.partition(b" ")
            self._time = _time(head)
        *_, rest = pieces(line)
        self._give(line[: len(line) - len(rest)], found)
        return rest

    def _give(self, raw: bytes, found: list[Printed]) -> None:
        """Give out a text; one without a time is not the dyno's, but the kubelet's own."""
        if self._time:
            found.extend(Printed(self._time, piece) for piece in pieces(raw))


class Place:
    """How far a reader is: after a lost connection the kubelet is asked again by the second."""

    def __init__(self, since: str = "") -> None:
        self._time = since
        self._count = 0
        self._until = ""
        self._again = 0

    def resume(self) -> str:
        """Return ``sinceTime`` for the next request, empty for all; then pass all to `fresh`."""
        self._until, self._again = self._time, self._count
        return f"{self._time[:19]}Z" if self._time else ""

    def fresh(self, printed: list[Printed]) -> list[Printed]:
        """Return the lines that were not seen yet, and count on."""
        found = [line for line in printed if not self._is_seen(line)] if self._until else printed
        for line in found:
            if line.time > self._time:
                self._time, self._count = line.time, 1
            elif line.time == self._time:
                self._count += 1
        return found

    def _is_seen(self, line: Printed) -> bool:
        """Tell whether a line comes again; those that share the last time are counted."""
        if not self._until or line.time > self._until:
            self._until = ""
            return False
        if line.time == self._until:
            self._again -= 1
            return self._again >= 0
        return True


def _time(head: bytes) -> str:
    try:
        return read_stamp(head.decode("ascii", "replace"))
    except ValueError:
        return ""
