"""The build image of the stack, unpacked once. It must never be written to."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from haikube.build.harness.rootfs import unpacked
from haikube.local.images import ImageSources
from haikube.local.paths import Paths

CACHE = Paths.default().cache / "tests"


@cache
def build_rootfs() -> Path:
    """Return the unpacked build image, made when the cache has none of these package lists."""
    images = ImageSources.default()
    return unpacked(images.rootfs("run", "build").path, images.paths.cache / "rootfs")
