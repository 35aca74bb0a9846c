from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from haikube.build.cache import fingerprint


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    (folder / "tool" / "deep").mkdir(parents=True)
    (folder / "other").mkdir()
    (folder / "tool" / "file").write_text("x")
    (folder / "link").symlink_to("tool")
    return folder


def relink(cache: Path) -> None:
    (cache / "link").unlink()
    (cache / "link").symlink_to("other")


def grow(cache: Path) -> None:
    before = (cache / "tool" / "file").stat()
    (cache / "tool" / "file").write_text("xx")
    os.utime(cache / "tool" / "file", ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        grow,
        relink,
        lambda cache: os.utime(cache / "tool" / "file", (0, 0)),
        lambda cache: (cache / "tool" / "file").chmod(0o700),
        lambda cache: (cache / "tool" / "file").rename(cache / "tool" / "moved"),
        lambda cache: (cache / "tool" / "deep").rmdir(),
        lambda cache: (cache / "tool" / "deep" / "new").touch(),
    ],
    ids=["size", "link", "time", "mode", "name", "folder", "file"],
)
def test_what_changes_a_cache_is_seen(cache: Path, change: Callable[[Path], None]) -> None:
    before = fingerprint(cache)
    change(cache)
    assert fingerprint(cache) != before


def test_the_time_of_a_folder_is_no_change(cache: Path) -> None:
    before = fingerprint(cache)
    os.utime(cache / "tool", (0, 0))
    assert fingerprint(cache) == before
