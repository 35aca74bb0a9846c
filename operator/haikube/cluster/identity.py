"""Who this process is to an API server, found out when it is asked for and not before.

Reading a kubeconfig needs the ``kubernetes`` package, which takes a second to import: a process
that never asks never pays.
"""

from __future__ import annotations

from pathlib import Path

from haikube.cluster.credentials import Credentials


def load(kubeconfig: str | Path | None = None, context: str | None = None) -> Credentials:
    """Return the credentials of ``kubeconfig``, else of $KUBECONFIG, else of this pod.

    Raises ``kubernetes.config.ConfigException`` when there are none.
    """
    from haikube.cluster import kubeconfig as loader  # noqa: PLC0415 - a second to import

    return loader.load(kubeconfig, context)
