"""Whether the storage was away a moment ago: who asks then is not kept waiting once more.

One request waits for a storage that starts again. A push makes many, one after the other, and
would wait as often for one that stays away.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

REMEMBERED: Final = 15.0
"""Seconds after the last failure in which the storage counts as away."""


class Outage:
    """The last time that the storage was waited for in vain, by a clock in seconds."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._until = now()

    def note(self) -> None:
        """Remember a failure."""
        self._until = self._now() + REMEMBERED

    @property
    def lasts(self) -> bool:
        """Tell whether it is too early to wait again."""
        return self._now() < self._until
