"""What of a stranger's text may reach somebody's terminal: words and colours, nothing that acts.

Builds, commits and messages of failures are written by code that nobody has looked at, and a
terminal obeys: it moves, answers, renames, copies. ``clean`` drops such characters; a ``Sieve``
blots them out one for one, since readers of a stream come back with the number of bytes they have.
"""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile(
    r"\x1b\[[0-9;]{0,20}m"  # a colour
    r"|([\x00-\x08\x0b-\x1f\x7f-\x9f"
    r"\u202a-\u202e\u2066-\u2069])"  # those turn the direction of what follows
)
_BYTES: Final = re.compile(
    rb"\x1b\[[0-9;]{0,20}m|\r\n"
    rb"|([\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r"
    rb"|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9])"
)
_BEGUN: Final = re.compile(rb"(?:\x1b(?:\[[0-9;]{0,20})?|\r|\xc2|\xe2[\x80\x81]?)\Z")
"""The beginning of something that the next chunk decides."""

_BLOT: Final = b"?"


def clean(text: str) -> str:
    """Return ``text`` without control characters, except tabs, newlines and colours."""
    return _CONTROL.sub(lambda found: "" if found[1] else found[0], text)


class Sieve:
    """Cleans a stream of bytes and keeps its length; a chunk may end anywhere."""

    def __init__(self) -> None:
        self._kept = b""

    def take(self, chunk: bytes) -> bytes:
        """Return what is decided so far, cleaned."""
        data = self._kept + chunk
        begun = _BEGUN.search(data)
        end = begun.start() if begun else len(data)
        self._kept = data[end:]
        return _blotted(data[:end])

    def end(self) -> bytes:
        """Return what was kept back, cleaned."""
        rest, self._kept = self._kept, b""
        return _blotted(rest)


def _blotted(data: bytes) -> bytes:
    return _BYTES.sub(lambda found: _BLOT * len(found[0]) if found[1] else found[0], data)
