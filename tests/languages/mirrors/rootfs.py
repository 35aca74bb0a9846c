"""The build image of the stack, unpacked once. It must never be written to."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from haikube.build.harness.rootfs import unpacked
from haikube.local.images import ImageSources
from haikube.local.options import LocalOptions
from haikube.local.paths import PACKAGE, Paths, data_root, lock_file

CACHE = Paths.default().cache / "tests"


@cache
def build_rootfs() -> Path:
    """Return the unpacked build image, made when the cache has none of these package lists."""
    paths = Paths.default()
    images = ImageSources(paths, data_root(), PACKAGE.parent, lock_file(), LocalOptions())
    return unpacked(images.rootfs("run", "build").path, paths.cache / "rootfs")
