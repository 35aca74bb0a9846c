"""The kind that the contract tests use, and how a cluster in memory treats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from haikube.cluster.fake import FakeCluster
from haikube.cluster.port import Cluster, Json
from haikube.model.resources import Resource

WIDGETS = Resource("contract.haikube.dev", "v1", "widgets", "Widget")
IMMUTABLE = "shape is immutable"


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster and a namespace of its own in it."""

    cluster: Cluster
    namespace: str

    def widget(self, name: str = "one", **spec: Any) -> Json:
        """Return a Widget to create or apply."""
        return {
            "apiVersion": WIDGETS.api_version,
            "kind": WIDGETS.kind,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }

    def forget_history(self) -> str:
        """Return a resource version that is too old to watch from."""
        if isinstance(self.cluster, FakeCluster):
            self.cluster.compact()
        return "1"


def fake_cluster() -> FakeCluster:
    """Return a cluster in memory that treats Widgets as their CRD does."""
    cluster = FakeCluster()
    cluster.defaults[WIDGETS] = _with_default_status
    cluster.checks[WIDGETS] = _check_shape
    return cluster


def _with_default_status(widget: Json) -> Json:
    return {"status": {"observedGeneration": -1}, **widget}


def _check_shape(old: Json | None, new: Json) -> str | None:
    before = (old or {}).get("spec", {}).get("shape")
    return None if before in {None, new["spec"].get("shape")} else IMMUTABLE
