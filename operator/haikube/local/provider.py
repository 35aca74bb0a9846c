"""What every way to run a local cluster must offer, and how one of them is chosen."""

from __future__ import annotations

from collections.abc import Callable, Container
from pathlib import Path
from typing import Protocol

from haikube.local.archive import Image
from haikube.local.options import ProviderName
from haikube.local.steps import Step


class Provider(Protocol):
    """A one-node Kubernetes cluster on this machine."""

    @property
    def name(self) -> str:
        """The word in HAIKUBE_LOCAL_PROVIDER."""
        ...

    @property
    def pod_logs(self) -> Path:
        """The node's folder of what pods print."""
        ...

    @property
    def storage(self) -> Path | None:
        """The node's folder for the storage's bytes; None where the cluster makes volumes."""
        ...

    def node_steps(self) -> list[Step]:
        """Return the steps from nothing, or from anything, to a node that takes pods."""
        ...

    def ensure_image(self, image: Image) -> bool:
        """Bring an image into the node unless it is there; return whether it was brought."""
        ...

    def prune(self, keep: Container[str]) -> int:
        """Remove our images that are not to be kept; return how many."""
        ...

    def load(self, archive: Path) -> str:
        """Bring every image of an archive into the node."""
        ...

    def stop(self) -> list[str]:
        """Remove the cluster from this machine; return what could not be removed."""
        ...

    def status(self) -> dict[str, str]:
        """Return facts for people, in the order they are shown."""
        ...


def choose_provider(
    wanted: ProviderName, recorded: str, docker_runs_nodes: Callable[[], bool]
) -> str:
    """Return the provider to use: the wanted one, that of the running cluster, or what works.

    Args:
        wanted: the user's setting.
        recorded: the provider of the cluster that exists, empty when there is none.
        docker_runs_nodes: whether a Docker engine runs privileged containers; asked last, as it
            takes a second to find out.
    """
    if wanted != "auto":
        return wanted
    if recorded:
        return recorded
    return "kind" if docker_runs_nodes() else "native"
