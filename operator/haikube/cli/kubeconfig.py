"""Which kubeconfig a command uses that talks to the cluster itself."""

from __future__ import annotations

import os
from pathlib import Path

from haikube.local.paths import Paths


def default_kubeconfig() -> str:
    """Return the path of $KUBECONFIG, else kubectl's own, else that of ``make up``."""
    standard = Path.home() / ".kube" / "config"
    if given := os.environ.get("KUBECONFIG"):
        return given
    return str(standard if standard.exists() else Paths.default().kubeconfig)
