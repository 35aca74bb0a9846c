"""Whether a build ran out of disk: tools say so in a hundred ways, the file system in one."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Final

from haikube.build.failure import BuildFailure, Reason

_FULL_BYTES: Final = 1 << 20


def is_full(folder: Path) -> bool:
    """Tell whether nothing can be written any more."""
    return shutil.disk_usage(folder).free < _FULL_BYTES


def is_disk_error(error: OSError) -> bool:
    """Tell whether an operation failed for want of disk space."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def disk_failure() -> BuildFailure:
    """Return the failure of a build that has no space left."""
    return BuildFailure(
        Reason.DISK_FULL,
        "The build filled its disk; make it write less, or raise HAIKUBE_BUILD_DISK of the "
        "platform",
    )
