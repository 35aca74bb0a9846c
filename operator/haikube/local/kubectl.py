"""kubectl against the local cluster, with answers for people when a wait fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from haikube.local.command import LocalError, run

_REFERENCE = re.compile(r"localhost/haikube/[a-z0-9-]+:[0-9a-f]{12}")
_IMAGE_HOLDERS = "pods,deployments,jobs,stacks.haikube.dev"
_LOG_LINES = 8


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The pinned kubectl with the local cluster's kubeconfig."""

    program: Path
    kubeconfig: Path

    def __call__(self, *words: str | Path) -> str:
        """Return what kubectl printed."""
        return run(self.program, "--kubeconfig", self.kubeconfig, *words)

    def apply(self, flag: str, target: Path) -> str:
        """Apply a file, folder (``-f``) or kustomization (``-k``) and say how much changed."""
        server_side = ("apply", "--server-side", "--force-conflicts")
        lines = self(*server_side, "--field-manager=haikube-local", flag, target).splitlines()
        return f"{len(lines)} objects"

    def wait_available(self, namespace: str, seconds: float) -> int:
        """Return the number of Deployments of a namespace once all have rolled out.

        Raises:
            LocalError: with what each unready pod says of itself.
        """
        found = self("-n", namespace, "get", "deployments", "-o", "name").split()
        for name in found:
            status = ("rollout", "status", name, f"--timeout={seconds:.0f}s")
            try:
                self("-n", namespace, *status)
            except LocalError as error:
                reasons = "\n".join(self._complaints(namespace)) or str(error)
                raise LocalError(f"{name} is not ready after {seconds:.0f} s:\n{reasons}") from None
        return len(found)

    def _complaints(self, namespace: str) -> list[str]:
        pods = json.loads(self("-n", namespace, "get", "pods", "-o", "json"))["items"]
        lines = []
        for pod in pods:
            for reason in unready_reasons(pod):
                lines += [f"  {reason}", *self._last_words(namespace, pod["metadata"]["name"])]
        return lines

    def _last_words(self, namespace: str, pod: str) -> list[str]:
        try:
            log = self("-n", namespace, "logs", pod, f"--tail={_LOG_LINES}")
        except LocalError:
            return []
        return [f"      {line}" for line in log.splitlines()]

    def images_in_use(self) -> frozenset[str]:
        """Return our images that any object of the cluster names."""
        listing = self("get", _IMAGE_HOLDERS, "--all-namespaces", "-o", "json")
        return frozenset(_REFERENCE.findall(listing))


def unready_reasons(pod: Mapping[str, Any]) -> list[str]:
    """Return one line for each container of a pod that is not ready, and for an unplaced pod."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    unplaced = [
        f"{name}: {condition.get('message', 'not scheduled')}"
        for condition in status.get("conditions", [])
        if condition["type"] == "PodScheduled" and condition["status"] == "False"
    ]
    unready = [c for c in status.get("containerStatuses", []) if not c["ready"]]
    return unplaced + [f"{name}: {_container_state(container)}" for container in unready]


def told_before(pods: Iterable[Mapping[str, Any]], moment: datetime) -> list[str]:
    """Return the pods that are still told as running since before a moment: by a node of before.

    What its kubelet wrote last stands until the new one has looked at the pod.
    """
    return [pod["metadata"]["name"] for pod in pods if _started(pod) < moment]


def _started(pod: Mapping[str, Any]) -> datetime:
    """Return when the first of the containers that are told as running began, else now."""
    found = [
        datetime.fromisoformat(running["startedAt"])
        for container in pod.get("status", {}).get("containerStatuses", [])
        if (running := container.get("state", {}).get("running")) and running.get("startedAt")
    ]
    return min(found, default=datetime.now(UTC))


def _container_state(container: Mapping[str, Any]) -> str:
    state, last = container.get("state", {}), container.get("lastState", {})
    ended = state.get("terminated") or last.get("terminated")
    words = [container["name"], state.get("waiting", {}).get("reason", "not ready")]
    if message := state.get("waiting", {}).get("message"):
        words.append(message)
    if ended:
        words.append(f"ended with {ended['exitCode']}")
    return ", ".join(words)
