"""A scratch namespace on the local cluster, with the CRDs of this checkout."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from crds.kubectl import Kubectl
from crds.schema import CRDS
from terminal import KUBECONFIG


@pytest.fixture(scope="session")
def kubectl() -> Iterator[Kubectl]:
    """Return kubectl in a namespace that is deleted afterwards."""
    here = Kubectl(KUBECONFIG, f"crds-{secrets.token_hex(4)}")
    here.ok("apply", "--server-side", "--force-conflicts", "-k", str(CRDS))
    here.ok("create", "namespace", here.namespace)
    try:
        yield here
    finally:
        here.ok("delete", "namespace", here.namespace, "--wait=false")
