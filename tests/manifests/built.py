"""Kustomizations as kubectl builds them, and the pods inside."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
OVERLAYS = ("overlays/local", "overlays/production")

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod template and the object it is in."""

    owner: str
    namespace: str
    labels: dict[str, str]
    spec: Object


@functools.cache
def build(folder: str) -> tuple[Object, ...]:
    """Return all objects of a kustomization below manifests/."""
    done = subprocess.run(
        ("kubectl", "kustomize", str(MANIFESTS / folder)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"{folder}: {done.stderr}"
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(folder: str, *kinds: str) -> list[Object]:
    """Return the objects of some kinds."""
    return [each for each in build(folder) if each["kind"] in kinds]


def one(folder: str, kind: str, name: str) -> Object:
    """Return one object by kind and name."""
    (found,) = (each for each in of_kind(folder, kind) if each["metadata"]["name"] == name)
    return found


def pods(folder: str) -> Iterator[Pod]:
    """Yield every pod template."""
    for each in build(folder):
        template = each.get("spec", {}).get("template")
        if isinstance(template, dict) and "spec" in template:
            yield Pod(
                f"{each['kind']}/{each['metadata']['name']}",
                each["metadata"]["namespace"],
                template["metadata"]["labels"],
                template["spec"],
            )
