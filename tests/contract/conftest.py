"""One cluster in memory, one for real: every test of this folder runs on both.

The real one is the local cluster (``make up``); its parameters carry the mark ``cluster``.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from contract.widgets import WIDGETS, Place, fake_cluster
from haikube.cluster.errors import NotFound
from haikube.cluster.http import HttpCluster
from haikube.cluster.port import Cluster, Json
from haikube.model.resources import NAMESPACES, Resource
from terminal import KUBECONFIG

CRDS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
CRD = yaml.safe_load((Path(__file__).parent / "widget-crd.yaml").read_text())


@pytest.fixture(scope="session")
def kubeconfig() -> Iterator[Path]:
    """Put the test CRD into the local cluster as long as the tests run."""
    asyncio.run(_install_crd(KUBECONFIG))
    yield KUBECONFIG
    asyncio.run(_remove_crd(KUBECONFIG))


async def _install_crd(kubeconfig: Path) -> None:
    async with HttpCluster.from_environment(kubeconfig) as cluster:
        await cluster.apply(CRDS, CRD, manager="contract")
        async with asyncio.timeout(120):
            await _wait_until_served(cluster)


async def _wait_until_served(cluster: Cluster) -> None:
    while True:
        try:
            await cluster.list(WIDGETS)
        except NotFound:
            await asyncio.sleep(0.1)
            continue
        return


async def _remove_crd(kubeconfig: Path) -> None:
    async with HttpCluster.from_environment(kubeconfig) as cluster:
        with suppress(NotFound):  # another worker of the same run was quicker
            await cluster.delete(CRDS, CRD["metadata"]["name"])


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.cluster)])
def server(request: pytest.FixtureRequest) -> Path | None:
    """Return each kind of cluster in turn: None for the one in memory, else a kubeconfig."""
    return None if request.param == "memory" else request.getfixturevalue("kubeconfig")


@pytest.fixture
async def place(server: Path | None) -> AsyncIterator[Place]:
    """Return a fresh place."""
    namespace = f"contract-{uuid.uuid4().hex[:8]}"
    if server is None:
        yield Place(fake_cluster(), namespace)
        return
    async with HttpCluster.from_environment(server, user_agent="fake") as cluster:
        await cluster.create(NAMESPACES, _namespace(namespace))
        yield Place(cluster, namespace)
        await cluster.delete(NAMESPACES, namespace)


def _namespace(name: str) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
