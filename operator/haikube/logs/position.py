"""How far a reader of an app's log has come, as a text that it can come back with.

Dynos run on many nodes, so their lines do not come in the order of their times: what is a little
older than the newest line may still be on its way. So the place in each source is kept, as long as
it is near the newest, and nothing is lost or told twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, NamedTuple, Self

from haikube.logs.line import Line, read_stamp, stamp
from haikube.model.times import parse_time

_SLACK: Final = timedelta(seconds=5)
"""How much later than others a line may come; the platform's own bear whole seconds."""

_MOST: Final = 40
"""Sources whose places are kept; of the rest what is as old as the newest counts as seen."""


class _Place(NamedTuple):
    """The last time, and how many lines bore it."""

    time: str
    lines: int


class Position:
    """A place in the log of one app: behind all up to ``time``, empty before the first line."""

    def __init__(self, time: str = "") -> None:
        self._newest = time
        self._full = bool(time)
        self._places: dict[str, _Place] = {}

    def __str__(self) -> str:
        """Return it as `parse` reads it: the newest time, then the places that are near it."""
        self._places = self._near()
        near = sorted(self._places.items(), key=lambda each: each[1].time)[-_MOST:]
        places = [f"{key}={place.time}*{place.lines}" for key, place in near]
        full = ["full"] if self._full or len(self._places) > _MOST else []
        return ",".join([self._newest, *full, *places])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what was written; raises ``ValueError`` for anything else."""
        newest, *places = text.split(",")
        made = cls(read_stamp(f"{newest}Z") if newest else "")
        made._full = places[:1] == ["full"]
        for each in places[made._full :]:
            key, _, place = each.rpartition("=")
            time, _, count = place.partition("*")
            made._places[key] = _Place(read_stamp(f"{time}Z"), int(count))
        return made

    @property
    def floor(self) -> str:
        """Return a time before which nothing is to come any more."""
        return min([self._others(), *(place.time for place in self._near().values())])

    def _others(self) -> str:
        """Return the place in sources that have none of their own."""
        return self._newest if self._full or not self._newest else _before(self._newest)

    def _near(self) -> dict[str, _Place]:
        """Return the places near the newest; what is older is a dyno that has gone or is silent."""
        floor = _before(self._newest) if self._newest else ""
        return {key: place for key, place in self._places.items() if place.time > floor}

    def advance(self, lines: Iterable[Line]) -> None:
        """Go on behind lines that have arrived."""
        for line in lines:
            key = _key(line)
            last = self._places.get(key)
            if last is None or line.time > last.time:
                self._places[key] = _Place(line.time, 1)
            elif line.time == last.time:
                self._places[key] = _Place(line.time, last.lines + 1)
            self._newest = max(self._newest, line.time)

    def beyond(self) -> Beyond:
        """Return what tells the lines that were not seen from those that were."""
        return Beyond(self._others(), self._near())


class Beyond:
    """Passes what a reader that came back has not seen; each source in the order of its time."""

    def __init__(self, floor: str, places: dict[str, _Place]) -> None:
        self._floor = floor
        self._places = places

    def take(self, lines: Iterable[Line]) -> list[Line]:
        """Return the lines that are new."""
        return [line for line in lines if self._is_new(line)]

    def _is_new(self, line: Line) -> bool:
        key = _key(line)
        last = self._places.get(key)
        if last is None:
            return line.time > self._floor
        if line.time == last.time and last.lines > 0:
            self._places[key] = _Place(last.time, last.lines - 1)
            return False
        return line.time >= last.time


def _key(line: Line) -> str:
    return f"{line.source}:{line.dyno}"


def _before(time: str) -> str:
    """Return a time that is so much earlier that nothing older is still on its way."""
    return stamp(parse_time(f"{time[:19]}Z") - _SLACK)
