"""When the node gets a disk of its own, and how it is made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from haikube.local import disk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "containerd"
    made.mkdir()
    return made


def kernel(tmp_path: Path, folder: Path, facts: Mapping[str, str]) -> Path:
    """Return a /sys that says these facts of the file system of the folder's device."""
    sysfs, number = tmp_path / "sys", folder.stat().st_dev
    device = sysfs / "devices" / "vda"
    device.mkdir(parents=True)
    (sysfs / "dev" / "block").mkdir(parents=True)
    (sysfs / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}").symlink_to(device)
    for name, text in facts.items():
        path = sysfs / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return sysfs


@pytest.mark.parametrize(
    ("facts", "slow"),
    [
        ({"ext4/vda/journal_task": "<none>\n"}, True),
        ({"ext4/vda/journal_task": "217\n"}, False),
        ({"xfs/vda/stats/stats": "extent_alloc 0\n"}, False),
        ({}, False),
    ],
    ids=["no journal", "journal", "another file system", "no device"],
)
def test_only_ext4_without_a_journal_is_slow(
    tmp_path: Path, folder: Path, facts: Mapping[str, str], *, slow: bool
) -> None:
    assert disk.is_slow(folder, kernel(tmp_path, folder, facts)) is slow


def test_a_fast_folder_stays_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "is_slow", lambda _folder: False)
    (folder / "kept").touch()

    disk.provide(folder)

    assert (folder / "kept").exists()
    assert not disk.image_of(folder).exists()
    assert disk.mount_lines(folder) == ""
    assert not disk.is_mounted(folder)


def test_a_slow_folder_gets_a_sparse_image_with_a_journal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "is_slow", lambda _folder: True)
    (folder / "former" / "content").mkdir(parents=True)

    disk.provide(folder)

    image = disk.image_of(folder)
    assert list(folder.iterdir()) == []
    assert image.stat().st_blocks * 512 < image.stat().st_size / 10
    assert "has_journal" in disk.run("dumpe2fs", "-h", image)
    assert disk.mount_lines(folder) == f"mount -o loop,noatime,discard {image} {folder} || true\n"


def test_an_image_is_made_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "is_slow", lambda _folder: True)
    disk.image_of(folder).write_text("in use")
    (folder / "mounted").touch()

    disk.provide(folder)

    assert disk.image_of(folder).read_text() == "in use"
    assert (folder / "mounted").exists()
