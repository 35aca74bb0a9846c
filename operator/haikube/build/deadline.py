"""How much time a build has left."""

from __future__ import annotations

import time
from collections.abc import Callable

from haikube.build.failure import BuildFailure, Reason

_MINUTE = 60


class Deadline:
    """Counts from its creation; a step asks before it waits."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = seconds
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Return the seconds left; raises ``BuildFailure`` when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise self.passed()
        return left

    @property
    def is_over(self) -> bool:
        """Tell whether no second is left."""
        return self._clock() >= self._end

    def passed(self) -> BuildFailure:
        """Return the failure that says how long the limit is and how it is raised."""
        limit = _duration(self._seconds)
        return BuildFailure(
            Reason.BUILD_TIMED_OUT,
            f"The build took longer than {limit} and was stopped; make it do less work, or raise "
            "spec.buildTimeoutSeconds of the App",
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min" if minutes and not rest else f"{seconds:g} s"
