"""Root filesystems as folders, unpacked once from the archives that images are made of."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

from haikube.build.harness.sandbox import namespaces


def unpacked(archive: Path, folder: Path) -> Path:
    """Return the folder with the archive's content; its name is that of the archive."""
    target = folder / archive.stem
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{archive.stem}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _unpack(archive, target)
    return target


def _unpack(archive: Path, target: Path) -> None:
    partial = target.with_suffix(f".partial-{os.getpid()}")
    partial.mkdir()
    tar = ["tar", "--extract", f"--file={archive}", f"--directory={partial}", "--exclude=./dev/*"]
    # Without root, files of other owners can only be made in a user namespace.
    prefix = [] if os.geteuid() == 0 else namespaces()
    subprocess.run([*prefix, *tar], check=True)
    partial.rename(target)
