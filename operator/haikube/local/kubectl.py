"""kubectl against the local cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from haikube.local.command import run


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The pinned kubectl with the local cluster's kubeconfig."""

    program: Path
    kubeconfig: Path

    def __call__(self, *words: str | Path, stdin: str | None = None) -> str:
        """Return what kubectl printed."""
        return run(self.program, "--kubeconfig", self.kubeconfig, *words, stdin=stdin)

    def apply(self, flag: str, target: Path) -> str:
        """Apply a file, folder (``-f``) or kustomization (``-k``) and say how much changed."""
        server_side = ("apply", "--server-side", "--force-conflicts")
        lines = self(*server_side, "--field-manager=haikube-local", flag, target).splitlines()
        return f"{len(lines)} objects"

    def wait_available(self, namespace: str, seconds: float) -> int:
        """Return the number of Deployments of a namespace once all have rolled out."""
        found = self("-n", namespace, "get", "deployments", "-o", "name").split()
        for name in found:
            status = ("rollout", "status", name, f"--timeout={seconds:.0f}s")
            self("-n", namespace, *status)
        return len(found)
