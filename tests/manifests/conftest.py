"""A scratch namespace on the local cluster, set up as extras/team says."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from crds.kubectl import Kubectl
from manifests.built import build
from terminal import KUBECONFIG


@pytest.fixture(scope="session")
def team() -> Iterator[Kubectl]:
    """Return kubectl in a team's namespace, which is deleted afterwards."""
    here = Kubectl(KUBECONFIG, f"team-{secrets.token_hex(4)}")
    items = [moved(each, here.namespace) for each in build("extras/team")]
    here.ok("create", "namespace", here.namespace)
    try:
        bundle = {"apiVersion": "v1", "kind": "List", "items": items}
        here.ok("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=bundle)
        yield here
    finally:
        here.ok("delete", "namespace", here.namespace, "--wait=false")


def moved(obj: dict[str, object], namespace: str) -> dict[str, object]:
    """Return an object of the namespace ``team`` in another one."""
    metadata = dict(obj["metadata"])  # type: ignore[call-overload] # always a mapping
    if obj["kind"] == "Namespace":
        metadata["name"] = namespace
    else:
        metadata["namespace"] = namespace
    return {**obj, "metadata": metadata}
