"""The CRDs of this checkout as data, and a walk over every field of their schemas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CRDS = Path(__file__).resolve().parents[2] / "crds"


@dataclass(frozen=True, slots=True)
class Node:
    """One place in a schema: ``App.spec.source.git`` and what it says."""

    path: str
    schema: dict[str, Any]


def load(name: str) -> dict[str, Any]:
    """Return one CRD by its file's stem."""
    found: dict[str, Any] = yaml.safe_load((CRDS / f"{name}.yaml").read_text())
    return found


def names() -> list[str]:
    """Return the stems of all CRD files."""
    return sorted(path.stem for path in CRDS.glob("*.yaml") if path.stem != "kustomization")


def version(crd: dict[str, Any]) -> dict[str, Any]:
    """Return the only version of a CRD."""
    (found,) = crd["spec"]["versions"]
    return dict(found)


def root(crd: dict[str, Any]) -> Node:
    """Return the schema of a whole object."""
    return Node(crd["spec"]["names"]["kind"], version(crd)["schema"]["openAPIV3Schema"])


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and every node below it; ``metadata`` belongs to Kubernetes."""
    yield node
    for key, value in node.schema.get("properties", {}).items():
        if key != "metadata":
            yield from walk(Node(f"{node.path}.{key}", value))
    if "items" in node.schema:
        yield from walk(Node(f"{node.path}[]", node.schema["items"]))


def fields() -> list[Node]:
    """Return every field of every kind."""
    return [node for name in names() for node in walk(root(load(name)))]


def child(node: Node, dotted: str) -> dict[str, Any]:
    """Return the schema at ``spec.appRef.name`` below a node."""
    found = node.schema
    for part in dotted.split("."):
        found = found["properties"][part]
    return found
