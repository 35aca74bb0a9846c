"""The processes of a build: whether there were too many, and how none of them is left.

The kernel refuses a fork when the pod has as many processes as its node allows (``podPidsLimit`` of
the kubelet). ``pids.events`` counts refusals, but kernels differ in whose group they count, so the
engine also tries for itself. Never call ``end_others`` where other people's processes could be.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from haikube.build.failure import BuildFailure, Reason

_MOUNT: Final = Path("/sys/fs/cgroup")
_OWN: Final = re.compile(r"^(?:0:|\d+:(pids)):/?(.*)$", re.MULTILINE)
_REFUSED: Final = re.compile(r"^max (\d+)$", re.MULTILINE)
_ATTEMPTS: Final = 50
_SETTLE_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.02
_FIRST: Final = 1


def counters(groups: str, mount: Path = _MOUNT) -> list[Path]:
    """Return where refusals may be counted, best first, given the text of ``/proc/self/cgroup``.

    A container sees its group as the root, or, with version 1, by its name on the node.
    """
    own = [mount / kind / path for kind, path in _OWN.findall(groups)]
    return [each / "pids.events" for each in (*own, mount, mount / "pids")]


def refused_forks(found: Sequence[Path] | None = None) -> int:
    """Return how often this control group was refused a process; 0 if unknown."""
    for counter in counters(_groups()) if found is None else found:
        try:
            refused = _REFUSED.search(counter.read_text())
        except OSError:
            continue
        if refused:
            return int(refused[1])
    return 0


def _groups() -> str:
    try:
        return Path("/proc/self/cgroup").read_text()
    except OSError:
        return ""


def is_crowded(attempts: int = _ATTEMPTS) -> bool:
    """Tell whether the kernel refuses us a process, which a thread is to it.

    One attempt is not enough: among thousands that come and go, a place gets free now and then.
    """
    return not all(_starts() for _ in range(attempts))


def _starts() -> bool:
    thread = threading.Thread(target=int)
    try:
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True


def end_others(*, alone: bool) -> None:
    """End what has left its process group, at once and for good, however fast it forks.

    The kernel walks all processes while nobody can fork: no loop over pids could win that race.
    The container's first process and this one are spared. Returns when the others are gone: one
    that is killed may take a while to die.
    """
    if not alone or os.getppid() != _FIRST:
        return
    end = time.monotonic() + _SETTLE_SECONDS
    while _killed_any() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)


def _killed_any() -> bool:
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def too_many_processes() -> BuildFailure:
    """Return the failure of a build that forked too much."""
    return BuildFailure(
        Reason.TOO_MANY_PROCESSES,
        "The compile started too many processes, more than a pod may have, and was stopped; let it "
        "run fewer at once, or raise podPidsLimit of the cluster's nodes",
    )
