"""Whether the kernel ended a child of this build because memory ran out.

The kernel kills the child, not the engine, so the compile merely fails; the counter of the control
group is what tells the reason. Version 2 keeps it in ``memory.events``, version 1 in
``memory.oom_control``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from haikube.build.failure import BuildFailure, Reason

_GROUP: Final = Path("/sys/fs/cgroup")
COUNTERS: Final = (_GROUP / "memory.events", _GROUP / "memory" / "memory.oom_control")
_KILLS: Final = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def oom_kills(counters: Sequence[Path] = COUNTERS) -> int:
    """Return how many processes of this control group were killed for memory; 0 if unknown."""
    for counter in counters:
        try:
            found = _KILLS.search(counter.read_text())
        except OSError:
            continue
        if found:
            return int(found[1])
    return 0


def memory_failure() -> BuildFailure:
    """Return the failure of a build that was killed for memory."""
    return BuildFailure(
        Reason.BUILD_OUT_OF_MEMORY,
        "The compile needed more memory than a build pod has and was killed; make it need "
        "less, or raise HAIKUBE_BUILD_MEMORY of the platform",
    )
