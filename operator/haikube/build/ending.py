"""The end of the pod's output: nothing that was printed last may be lost.

A busy containerd lets go of a container's output when its first process ends, whether it has read
all of it or not: what it has not read by then is in no log and on no screen.
"""

from __future__ import annotations

import array
import fcntl
import os
import stat
import termios
import time
from collections.abc import Sequence
from typing import Final

_OUTPUTS: Final = (1, 2)
_POLL_SECONDS: Final = 0.01
_MOST_SECONDS: Final = 2.0
_PASSED_ON_SECONDS: Final = 0.2


def let_output_drain(outputs: Sequence[int] = _OUTPUTS, most: float = _MOST_SECONDS) -> None:
    """Wait until pipes were read, at most ``most`` seconds, and a moment more.

    Whoever reads them passes it on.
    """
    pipes = [each for each in outputs if stat.S_ISFIFO(os.fstat(each).st_mode)]
    end = time.monotonic() + most
    while any(map(_unread, pipes)) and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
    if pipes:
        time.sleep(_PASSED_ON_SECONDS)


def _unread(pipe: int) -> int:
    """Return how many bytes nobody has read yet."""
    left = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, left)
    return left[0]
