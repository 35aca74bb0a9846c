"""File systems of the node's own, where the host's is slow at what pods do all day.

ext4 without a journal, as small virtual machines have it, gives the inode of a removed file to
nobody for minutes, and each new file's search walks over all of them: after ten thousand files were
removed, the next ten thousand take six seconds, not 0.4. There the two folders that pods write to
are images with a journal, mounted inside the node; both are sparse and give freed space back.

It must never touch an image that is still mounted by a node that is about to end.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from haikube.local.command import run

_SHARE = 0.9
"""The part of the host's free space that an image may grow to."""


def image_of(folder: Path) -> Path:
    """Return where the image of a folder lies: beside it."""
    return folder.with_name(f"{folder.name}.img")


def is_slow(folder: Path, sysfs: Path = Path("/sys")) -> bool:
    """Return whether a folder lies on ext4 without a journal."""
    number = folder.stat().st_dev
    device = (sysfs / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}").resolve()
    journal = sysfs / "fs" / "ext4" / device.name / "journal_task"
    return journal.exists() and journal.read_text().strip() == "<none>"


def provide(folder: Path) -> None:
    """Make the image of a folder where it is needed and not there; the folder is emptied for it."""
    image = image_of(folder)
    if image.exists() or not is_slow(folder):
        return
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    partial = image.with_suffix(".partial")
    with partial.open("wb") as file:
        file.truncate(int(shutil.disk_usage(folder).free * _SHARE))
    run("mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard", partial)
    partial.rename(image)


def mount_lines(*folders: Path) -> str:
    """Return the shell lines that mount the images there are; without loop devices it goes on."""
    return "".join(
        f"{shlex.join(['mount', '-o', 'loop,noatime,discard', str(image), str(folder)])} || true\n"
        for folder in folders
        if (image := image_of(folder)).exists()
    )


def is_mounted(folder: Path) -> bool:
    """Return whether some node still holds the image of a folder."""
    image = image_of(folder)
    return image.exists() and bool(run("losetup", "--associated", image).strip())
