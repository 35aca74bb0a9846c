"""The control groups of the node: one folder per hierarchy, on cgroup v1 and v2 alike.

Everything the kubelet makes lies below one name, so leftovers are known by their place.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_POLL_SECONDS = 0.1


def hierarchies(root: Path = ROOT) -> list[Path]:
    """Return the mounted hierarchies: one for v2, one per controller for v1."""
    if (root / "cgroup.controllers").exists():
        return [root]
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def create(name: str, root: Path = ROOT) -> None:
    """Make the node's group in every hierarchy, with the controllers the kubelet needs."""
    for hierarchy in hierarchies(root):
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        _copy_cpuset(hierarchy, group)
        _enable_controllers(hierarchy, group)


def remove(name: str, root: Path = ROOT, timeout: float = 10.0) -> list[Path]:
    """Remove the node's groups, and return those that are still in use after the timeout.

    A group stays busy for moments after its last process has ended.
    """
    limit = time.monotonic() + timeout
    while left := [group for group in leftovers(name, root) if not _removed(group)]:
        if time.monotonic() > limit:
            break
        time.sleep(_POLL_SECONDS)
    return left


def _removed(group: Path) -> bool:
    folders = [path for path in group.rglob("*") if path.is_dir()]
    for folder in [*sorted(folders, key=lambda path: -len(path.parts)), group]:
        with contextlib.suppress(OSError):
            folder.rmdir()
    return not group.exists()


def leftovers(name: str, root: Path = ROOT) -> list[Path]:
    """Return the node's groups that exist."""
    if not root.is_dir():
        return []
    return [group for h in hierarchies(root) if (group := h / name).is_dir()]


def _copy_cpuset(parent: Path, group: Path) -> None:
    """On v1 a new cpuset is empty, and nothing can run in it until it is filled."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (group / name).exists() and not (parent / "cgroup.controllers").exists():
            (group / name).write_text((parent / name).read_text())


def _enable_controllers(parent: Path, group: Path) -> None:
    """On v2 a group hands controllers down only when it is told to."""
    for folder in (parent, group):
        available = folder / "cgroup.controllers"
        if available.exists() and (parent / "cgroup.subtree_control").exists():
            for controller in available.read_text().split():
                with contextlib.suppress(OSError):
                    (folder / "cgroup.subtree_control").write_text(f"+{controller}")
