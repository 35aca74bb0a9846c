"""Nodes that are not there: kwok says of their pods that they run, so thousands fit."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.client import Bare, Json
from haikube.local import tools
from haikube.local.paths import Paths
from haikube.model.resources import NODES

VERSION = "v0.8.0"
LABEL = "kwok"
_MODULE = "sigs.k8s.io/kwok"
_STAGES = ("node/fast", "node/heartbeat", "pod/fast")
"""Without heartbeats Kubernetes takes the nodes for dead, and their pods for not ready."""

_PODS_PER_NODE = 250
_PODS_PER_DYNO = 2


@asynccontextmanager
async def nodes(client: Bare, dynos: int, apps: int = 1000) -> AsyncIterator[None]:
    """Have room for the dynos of so many Apps; without dynos nothing is needed."""
    if not dynos:
        yield
        return
    count = 1 + apps * dynos * 2 * _PODS_PER_DYNO // _PODS_PER_NODE
    process = await asyncio.to_thread(_start)
    made = [_node(f"kwok-{number}") for number in range(count)]
    try:
        for node in made:
            await client.create(NODES, node)
        yield
    finally:
        for node in made:
            await client.call("DELETE", f"/api/v1/nodes/{node['metadata']['name']}")
        process.terminate()
        process.wait(10)


def _node(name: str) -> Json:
    room = {"cpu": "1000", "memory": "1000Gi", "pods": str(_PODS_PER_NODE)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"type": LABEL, "kubernetes.io/hostname": name},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "status": {"capacity": room, "allocatable": room},
    }


def _start() -> subprocess.Popen[bytes]:
    folder = Paths.default().binaries / f"kwok-{VERSION}"
    if not (folder / "kwok").exists():
        _go("install", f"{_MODULE}/cmd/kwok@{VERSION}", GOBIN=str(folder))
    config = folder / "stages.yaml"
    config.write_text(_stages())
    return subprocess.Popen(
        (
            folder / "kwok",
            f"--kubeconfig={os.environ['KUBECONFIG']}",
            f"--config={config}",
            f"--manage-nodes-with-label-selector=type={LABEL}",
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _stages() -> str:
    """Return what kwok does with nodes and pods: the stages that its module ships."""
    module = json.loads(_go("mod", "download", "-json", f"{_MODULE}@{VERSION}"))
    root = Path(module["Dir"]) / "kustomize" / "stage"
    files = (
        path
        for stage in _STAGES
        for path in sorted((root / stage).glob("*.yaml"))
        if path.name != "kustomization.yaml"
    )
    return "\n---\n".join(path.read_text() for path in files)


def _go(*words: str, **env: str) -> str:
    program = tools.go_program(Paths.default())
    done = subprocess.run(
        (program, *words), env=os.environ | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
