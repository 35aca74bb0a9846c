"""Lines that wait for a target: so many and no more. What is dropped is counted, and told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from haikube.logs.line import HEROKU, Line

MOST_LINES: Final = 5000
MOST_BYTES: Final = 4 << 20
_LOGPLEX: Final = "logplex"


class Buffer:
    """A queue that drops its oldest lines when it is full."""

    def __init__(self, token: str, lines: int = MOST_LINES, size: int = MOST_BYTES) -> None:
        self._token = token
        self._most = lines
        self._most_bytes = size
        self._lines: deque[Line] = deque()
        self._size = 0
        self._dropped = 0
        self._since = ""

    def __len__(self) -> int:
        """Return how many lines wait."""
        return len(self._lines)

    @property
    def is_full(self) -> bool:
        """Tell whether more lines would push others out."""
        return len(self._lines) > self._most // 2 or self._size > self._most_bytes // 2

    def add(self, lines: Iterable[Line]) -> None:
        """Take lines in."""
        for line in lines:
            self._lines.append(line)
            self._size += len(line.text)
        while len(self._lines) > self._most or self._size > self._most_bytes:
            self._drop()

    def batch(self, count: int, size: int) -> list[Line]:
        """Return the oldest lines, at most so many and so long; they stay until `sent`."""
        found: list[Line] = []
        for line in self._lines:
            size -= len(line.text)
            if len(found) == count or (found and size < 0):
                break
            found.append(line)
        return [*self._told(found), *found]

    def sent(self, batch: list[Line]) -> None:
        """Forget a batch that has arrived."""
        arrived = set(map(id, batch))
        while self._lines and id(self._lines[0]) in arrived:
            self._size -= len(self._lines.popleft().text)
        if batch and batch[0].dyno == _LOGPLEX:
            self._dropped, self._since = 0, ""

    def _drop(self) -> None:
        line = self._lines.popleft()
        self._size -= len(line.text)
        self._dropped += 1
        self._since = self._since or line.time

    def _told(self, found: list[Line]) -> list[Line]:
        """Return the line about what was dropped, if anything was."""
        if not self._dropped:
            return []
        text = (
            f"Error L10 (output buffer overflow): drain '{self._token}' dropped "
            f"{self._dropped} messages since {self._since[:26]}+00:00."
        )
        return [Line(found[0].time if found else self._since, HEROKU, _LOGPLEX, text)]
