"""One line of an app's log, and the only place that says how it is written.

What a dyno prints is untrusted: whatever it holds, it stays behind the prefix of its own dyno. A
text that could move the cursor, end the line or speak to the terminal is shown, not passed on;
colours pass as the app wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

LONGEST: Final = 10_000
"""Bytes of a line; a longer one becomes several, as on Heroku."""

APP, HEROKU = "app", "heroku"
"""The two sources of lines."""

ROUTER: Final = "router"
"""What stands in the place of a dyno in lines about requests."""

_MICROSECONDS: Final = 26
_NANOSECONDS: Final = 29
_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]")
_COLOUR_OR_UNSAFE: Final = re.compile(f"\x1b\\[[0-9;:]*m|{_UNSAFE.pattern}")


class Line(NamedTuple):
    """One line; ``time`` is UTC as ``2026-01-02T03:04:05.123456789``, so that texts sort."""

    time: str
    source: str
    dyno: str
    text: str
    key: str = ""
    """What the line is about, when two observers may tell of the same thing; else empty."""

    def __str__(self) -> str:
        """Return it as Heroku writes it."""
        return f"{self.time[:_MICROSECONDS]}+00:00 {self.source}[{self.dyno}]: {self.text}"


def in_order(lines: Iterable[Line]) -> list[Line]:
    """Return lines by time; those of one time stay as they came."""
    return sorted(lines, key=lambda line: line.time)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines a reader asks for; empty fields ask for all."""

    source: str = ""
    dyno: str = ""
    """The name of a dyno, or a process type."""

    def __contains__(self, line: Line) -> bool:
        """Tell whether a line is asked for."""
        if self.source and line.source != self.source:
            return False
        return self.has_dyno(line.dyno)

    @property
    def has_router(self) -> bool:
        """Tell whether lines of the router are asked for."""
        return Line("", HEROKU, ROUTER, "") in self

    def has_dyno(self, name: str) -> bool:
        """Tell whether lines of this dyno may be asked for.

        >>> web = Selection(dyno="web")
        >>> [name for name in ("web.1", "web.12", "worker.1") if web.has_dyno(name)]
        ['web.1', 'web.12']
        """
        return self.dyno in {"", name, name.partition(".")[0]}


def stamp(moment: datetime) -> str:
    """Return a moment as ``Line.time``.

    >>> stamp(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC))
    '2026-01-02T03:04:05.000678000'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000"


def read_stamp(text: str) -> str:
    """Return an RFC 3339 time as ``Line.time``; raises ``ValueError``.

    >>> read_stamp("2026-01-02T03:04:05Z"), read_stamp("2026-01-02T05:04:05.5+02:00")
    ('2026-01-02T03:04:05.000000000', '2026-01-02T03:04:05.500000000')
    """
    if text.endswith("Z") and len(text) == _NANOSECONDS + 1:
        return text[:-1]
    parts = re.fullmatch(r"([0-9T:-]{19})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", text)
    if parts is None:
        raise ValueError(f"{text!r:.60} is no RFC 3339 time")
    whole = datetime.fromisoformat(parts[1] + parts[3]).astimezone(UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{parts[2] or '':0<9}"


def shown(raw: bytes) -> list[str]:
    r"""Return what a dyno printed as lines that are safe to show: one, but for carriage returns.

    >>> shown(b"10%\r20%\x1b[1mbold\x1b[0m\x1b[2Kgone\r")
    ['10%', '20%\x1b[1mbold\x1b[0m\\x1b[2Kgone']
    """
    text = raw.decode("utf-8", "replace")
    if _UNSAFE.search(text) is None:
        return [text]
    return [_COLOUR_OR_UNSAFE.sub(_escaped, part) for part in _parts(text)]


def _parts(text: str) -> Iterable[str]:
    parts = [part for part in text.split("\r") if part]
    return parts or [""]


def _escaped(found: re.Match[str]) -> str:
    if len(found[0]) > 1:
        return found[0]
    code = ord(found[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - one byte


def pieces(raw: bytes) -> Iterator[bytes]:
    """Yield parts of at most ``LONGEST`` bytes, cut between characters."""
    while len(raw) > LONGEST:
        end = _cut(raw)
        yield raw[:end]
        raw = raw[end:]
    yield raw


def _cut(raw: bytes) -> int:
    """Return where to cut: before a character's first byte, within the last four."""
    for end in range(LONGEST, LONGEST - 4, -1):
        if raw[end] & 0xC0 != 0x80:  # noqa: PLR2004 - a continuation byte of UTF-8
            return end
    return LONGEST
