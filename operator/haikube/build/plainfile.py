"""Reads a file of the app without being led elsewhere or fed without end."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_plain(path: Path | str, limit: int) -> bytes | None:
    """Return at most ``limit`` + 1 bytes of a regular file; None for anything else.

    A link, a pipe or a device of that name is treated as if it were not there.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        return file.read(limit + 1)
