"""The build image of the stack, unpacked once for the test cache. It must never be written to."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from haikube.local.images import STACK
from haikube.local.paths import Paths, data_root
from haikube.local.rootfs import Rootfs, make_rootfs

CACHE = Paths.default().cache / "tests"


@cache
def build_rootfs() -> Path:
    """Return the unpacked build image, made when the cache has none of these package lists."""
    lists = Rootfs.of(data_root() / "buildpacks" / "stacks" / STACK, ("run", "build"))
    folder = CACHE / f"stack-{lists.key}"
    if not folder.exists():
        _unpack(make_rootfs(lists, Paths.default().layers).path, folder)
    return folder


def _unpack(tar: Path, folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    subprocess.run(["tar", "--extract", "--file", tar, "--directory", partial], check=True)
    partial.rename(folder)
