"""How often the same thing is repaired before somebody must be told that it does not help.

Two controllers that want different values for one field would write for ever, as fast as the API
server answers. A person who edits an object a few times must still see each edit undone at once.
"""

from __future__ import annotations

from haikube.engine.clock import Clock
from haikube.engine.recent import Recent

REPAIRS = 8
"""Repairs of one object that are made at once."""

SECONDS = 30.0
"""After this long one more is allowed."""

_REMEMBERED = 10_000


class Patience:
    """A leaky bucket for every object that is being repaired."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._level: Recent[str, tuple[float, float]] = Recent(_REMEMBERED)

    def allows(self, uid: str) -> bool:
        """Return whether an object may be repaired once more; counts it if so."""
        now = self._clock.monotonic()
        level, since = self._level.get(uid) or (0.0, now)
        left = max(0.0, level - (now - since) / SECONDS)
        if left > REPAIRS - 1:
            return False
        self._level[uid] = (left + 1, now)
        return True
