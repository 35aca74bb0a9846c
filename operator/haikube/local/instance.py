"""The marks of one node on this machine: everything it leaves outside its folders bears its name.

Two instances do not see each other; the tests start one of their own beside the user's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from haikube.local.process import Process, children


@dataclass(frozen=True, slots=True)
class Instance:
    """One node of this machine."""

    name: str = "haikube"

    @property
    def interface(self) -> str:
        """The host's end of the wire to the node."""
        return f"{self.name}0"

    @property
    def mark(self) -> str:
        """Comment of its iptables rules and name of its control groups."""
        return f"{self.name}-local"

    @property
    def pid_file(self) -> Path:
        """In /run: the node is known even when its state folder was deleted under it."""
        return Path(f"/run/{self.mark}.pid")

    def running(self) -> Process | None:
        """Return the process that holds the node, or None while it does not run."""
        process = Process.load(self.pid_file)
        return process if process and process.alive else None

    @property
    def begun(self) -> datetime:
        """When the node was started, to the second."""
        return datetime.fromtimestamp(int(self.pid_file.stat().st_mtime), UTC)

    def tree(self) -> list[Process]:
        """Return the processes whose end ends all others: the holder and the node's first."""
        holder = self.running()
        if holder is None:
            return []
        return [holder, *(Process.of(pid) for pid in children(holder.pid))]
