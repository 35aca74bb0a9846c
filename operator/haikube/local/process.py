"""Processes that are known by pid and start time, so that a reused pid is never harmed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_START_TIME_FIELD = 19  # of the fields behind "pid (comm) ": see proc_pid_stat(5), field 22
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A process of ours, as written down when it was started."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Process:
        """Return the record of a running process."""
        return cls(pid, _start_time(pid) or 0)

    @classmethod
    def load(cls, path: Path) -> Process | None:
        """Return the record in a file, or None where there is none that can be read."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, path: Path) -> None:
        """Write the record to a file."""
        path.write_text(json.dumps(asdict(self)))

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self.started != 0 and _start_time(self.pid) == self.started

    def kill(self, timeout: float = 15.0) -> bool:
        """End the process and wait for it; return whether it is gone."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        return wait_gone(self, timeout)


def wait_gone(process: Process, timeout: float) -> bool:
    """Return whether a process ends within the time."""
    limit = time.monotonic() + timeout
    while process.alive:
        if time.monotonic() > limit:
            return False
        _reap(process.pid)
        time.sleep(_POLL_SECONDS)
    return True


def children(pid: int) -> list[int]:
    """Return the pids of the direct children of a process."""
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except OSError:
        return []


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _start_time(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[_START_TIME_FIELD])
