"""The provider for machines whose Docker engine runs privileged containers: kind."""

from __future__ import annotations

import shutil
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from haikube.local import tools
from haikube.local.archive import Image, write_archive
from haikube.local.command import LocalError, run, succeeds
from haikube.local.deploy import POD_LOGS
from haikube.local.images import ImageSources, pause_image
from haikube.local.steps import Step

CLUSTER = "haikube"


@dataclass(frozen=True, slots=True)
class KindProvider:
    """A cluster of one kind node, described by ``kind-config.yaml``."""

    sources: ImageSources
    config: Path
    name: str = "kind"

    @property
    def pod_logs(self) -> Path:
        """The node's folder of what pods print."""
        return POD_LOGS

    @property
    def storage(self) -> None:
        """Nothing: kind's own class of volumes makes what is claimed."""

    def node_steps(self) -> list[Step]:
        """Return the steps to a node that takes pods."""
        paths = self.sources.paths
        return [
            Step("docker answers", self._check),
            Step("kubectl, gateway, storage", lambda: tools.wheel_folder(paths, "tools").name),
            Step("kind built", lambda: tools.kind(paths).name),
            Step("kind cluster", self._create),
        ]

    def _check(self) -> None:
        if not succeeds("docker", "info"):
            raise LocalError(
                "the Docker engine does not answer; start it, or set HAIKUBE_LOCAL_PROVIDER=native"
            )

    def _create(self) -> str:
        if CLUSTER in self._kind("get", "clusters").split():
            self._kind("export", "kubeconfig", "--name", CLUSTER, *self._kubeconfig)
            return "it runs already"
        self.sources.paths.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        wait = f"{self.sources.options.ready_seconds:.0f}s"
        config = ("--config", str(self.config), "--wait", wait)
        self._kind("create", "cluster", "--name", CLUSTER, *config, *self._kubeconfig)
        return "created"

    @property
    def _kubeconfig(self) -> tuple[str, str]:
        return ("--kubeconfig", str(self.sources.paths.kubeconfig))

    def _kind(self, *words: str) -> str:
        return run(tools.kind(self.sources.paths), *words)

    def ensure_image(self, image: Image) -> bool:
        """Load an image into the kind node unless it is there."""
        listing = run(
            "docker", "exec", f"{CLUSTER}-control-plane", "crictl", "images", "-o", "json"
        )
        if f'"{image.reference}"' in listing:
            return False
        archive = self.sources.paths.images / f"{image.reference.rpartition(':')[2]}.tar"
        write_archive(image, archive)
        try:
            self.load(archive)
        finally:
            archive.unlink()
        return True

    def prune(self, keep: Container[str]) -> int:
        """Remove nothing: the kubelet of kind collects unused images by itself."""
        del keep
        return 0

    def load(self, archive: Path) -> str:
        """Load an archive into the kind node."""
        return self._kind("load", "image-archive", str(archive), "--name", CLUSTER)

    def stop(self) -> list[str]:
        """Delete the kind cluster."""
        self._kind("delete", "cluster", "--name", CLUSTER, *self._kubeconfig)
        return []

    def status(self) -> dict[str, str]:
        """Return what kind says of its node."""
        state = ["docker", "container", "inspect", "-f", "{{.State.Status}}"]
        node = f"{CLUSTER}-control-plane"
        shown = run(*state, node) if succeeds(*state, node) else "not running"
        return {"node": shown.strip()}


def docker_runs_nodes(sources: ImageSources) -> bool:
    """Return whether Docker runs privileged containers, tried with the pause image."""
    if not shutil.which("docker") or not succeeds("docker", "info", timeout=10):
        return False
    image = pause_image(sources)
    archive = sources.paths.images / "pause-probe.tar"
    write_archive(image, archive)
    probe = ("docker", "run", "--detach", "--rm", "--privileged", image.reference)
    try:
        run("docker", "load", "--input", archive)
        container = run(*probe).strip()
        run("docker", "rm", "--force", container)
    except LocalError:
        return False
    finally:
        archive.unlink()
    return True
