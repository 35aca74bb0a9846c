"""The provider that needs no Docker: a real node in namespaces of its own."""

from __future__ import annotations

import os
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from haikube.local import node, preflight, tools
from haikube.local.archive import Image
from haikube.local.command import LocalError
from haikube.local.containerd import ImageStore
from haikube.local.images import PREFIX, ImageSources, pause_image
from haikube.local.instance import Instance
from haikube.local.network import Link
from haikube.local.nodeconfig import NodeLayout
from haikube.local.steps import Step


@dataclass(frozen=True, slots=True)
class NativeProvider:
    """One node of this checkout's programs and caches."""

    sources: ImageSources
    name: str = "native"

    @property
    def _state(self) -> Path:
        return self.sources.paths.state

    @property
    def _instance(self) -> Instance:
        return Instance(self.sources.options.instance)

    @property
    def store(self) -> ImageStore:
        """The images of the node."""
        return ImageStore(self._state / "run" / "containerd.sock")

    @property
    def pod_logs(self) -> Path:
        """The node's folder of what pods print."""
        return self._state / "pod-logs"

    @property
    def storage(self) -> Path:
        """The node's folder for the storage's bytes; it goes with the node."""
        return self._state / "storage"

    def node_steps(self) -> list[Step]:
        """Return the steps to a node that takes pods."""
        paths = self.sources.paths
        return [
            Step("machine checked", self._check),
            Step("system packages", self._packages),
            Step("kubectl, gateway, storage", lambda: _name(tools.wheel_folder(paths, "tools"))),
            Step("kubernetes built", lambda: _name(tools.kubernetes(paths).parent)),
            Step("coredns built", lambda: _name(tools.coredns(paths).parent)),
            Step("node started", self._start),
            Step("control plane ready", self._wait),
        ]

    def _check(self) -> str:
        runs = self._instance.running() is not None
        killed = not runs and self._instance.pid_file.exists()
        sources = self.sources
        facts = preflight.gather(sources.paths, sources.options, node_runs=runs, ending=killed)
        preflight.require(preflight.problems(facts))
        return f"{facts.free_bytes / 1e9:.0f} GB free"

    def _packages(self) -> str:
        missing = tools.missing_packages()
        return tools.install_packages(missing) if missing else ""

    def _start(self) -> str:
        pause, options = pause_image(self.sources), self.sources.options
        record = node.choose_record(self._state, options, self._instance)
        link = record.link(self._instance)
        layout = self._layout(link, pause)
        if self._runs(layout):
            return "it runs already"
        if left := node.stop(self._state, self._instance):
            raise LocalError(f"a former run left {', '.join(left)}; reboot to be rid of it")
        node.prepare(layout, record, options)
        node.start(layout, link)
        node.wait_containerd(layout)
        self.store.ensure(pause, self.sources.paths.images)
        return record.subnet

    def _runs(self, layout: NodeLayout) -> bool:
        current = node.is_current(layout, self.sources.options)
        return current and self._instance.running() is not None and node.answers(self._state)

    def _layout(self, link: Link, pause: Image) -> NodeLayout:
        plugins = tools.cni_plugins()
        if plugins is None:
            raise LocalError("no CNI plugins in /usr/lib/cni; install containernetworking-plugins")
        paths = self.sources.paths
        return NodeLayout(
            state=paths.state,
            containerd=paths.containerd,
            kube=tools.kubernetes(paths),
            coredns=tools.coredns(paths),
            cni_plugins=plugins,
            pause_image=pause.reference,
            address=link.node,
            cgroup=self._instance.mark,
        )

    def _wait(self) -> str:
        kubectl = tools.wheel_program(self.sources.paths, "kubectl")
        seconds = self.sources.options.ready_seconds
        node.wait_ready(self._state, kubectl, self._instance.begun, seconds)
        return f"Kubernetes {tools.KUBERNETES}"

    def ensure_image(self, image: Image) -> bool:
        """Import an image into containerd unless it is there."""
        return self.store.ensure(image, self.sources.paths.images)

    def prune(self, keep: Container[str]) -> int:
        """Remove our images that are not to be kept from containerd."""
        return self.store.prune(PREFIX, keep)

    def load(self, archive: Path) -> str:
        """Import an archive into containerd."""
        return self.store.load(archive)

    def stop(self) -> list[str]:
        """End the node and undo what it changed on this machine."""
        if os.geteuid() != 0:
            raise LocalError("the native node is root's; run `haikube local down` with sudo -E")
        return node.stop(self._state, self._instance)

    def status(self) -> dict[str, str]:
        """Return the state of the node and what a killed run left."""
        process = self._instance.running()
        facts = {"node": f"running, pid {process.pid}" if process else "not running"}
        if process:
            facts["control plane"] = "answers" if node.answers(self._state) else "silent"
            facts["restarts"] = _restarts(self._state / "log") or "none"
        elif os.geteuid() == 0 and (left := node.leftovers(self._instance)):
            facts["left by a killed run"] = ", ".join(left)
        facts["logs"] = str(self._state / "log")
        return facts


def _name(path: Path) -> str:
    return path.name


def _restarts(logs: Path) -> str:
    counts = {
        log.stem: log.read_text(errors="replace").count("haikube: ") for log in logs.glob("*")
    }
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count)
