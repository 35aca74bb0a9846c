"""Small objects for the tests of the engine."""

from __future__ import annotations

from typing import Any

from haikube.cluster.port import Json
from haikube.model.resources import Resource

THINGS = Resource("example.dev", "v1", "things", "Thing")
PARTS = Resource("example.dev", "v1", "parts", "Part")

MANAGER = "engine"
DIGEST = "example.dev/digest"


def thing(
    name: str = "one",
    *,
    uid: str = "u1",
    version: int = 1,
    resource: Resource = THINGS,
    **more: Any,
) -> Json:
    """Return an object as the API server would show it; ``more`` goes beside the metadata."""
    metadata = {
        "name": name,
        "namespace": "ns",
        "uid": uid,
        "resourceVersion": str(version),
        **more.pop("metadata", {}),
    }
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": metadata,
        **more,
    }


def owned_by(owner: Json) -> Json:
    """Return metadata that makes ``owner`` the controller."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {"ownerReferences": [reference]}


def part(owner: Json, name: str = "part", **spec: Any) -> Json:
    """Return a child of ``owner`` as a plan wants it."""
    metadata = {"name": name, "namespace": "ns", **owned_by(owner)}
    return {
        "apiVersion": PARTS.api_version,
        "kind": PARTS.kind,
        "metadata": metadata,
        "spec": spec,
    }
