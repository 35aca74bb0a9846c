"""Why a compile failed when it was not its own fault: the kernel knows, the exit code does not."""

from __future__ import annotations

from pathlib import Path

from haikube.build.disk import disk_failure, is_full
from haikube.build.failure import BuildFailure, Reason
from haikube.build.memory import memory_failure, oom_kills
from haikube.build.processes import is_crowded, refused_forks, too_many_processes


class Causes:
    """The kernel's counters, read before a compile and compared after it."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._kills = oom_kills()
        self._refused = refused_forks()
        self._crowded = False

    def look(self) -> None:
        """Look around while everything that the compile started is still there."""
        self._crowded = is_crowded()

    def of_failure(self) -> BuildFailure | None:
        """Return what made a compile end with an error, if it was a limit of the pod."""
        if is_full(self._scratch):
            return disk_failure()
        if oom_kills() > self._kills:
            return memory_failure()
        return self._of_processes()

    def of_interruption(self, interruption: BuildFailure) -> BuildFailure | None:
        """Return what made a compile run out of time: it may never end if it can start nothing."""
        return self._of_processes() if interruption.reason is Reason.BUILD_TIMED_OUT else None

    def _of_processes(self) -> BuildFailure | None:
        if self._crowded or refused_forks() > self._refused:
            return too_many_processes()
        return None
