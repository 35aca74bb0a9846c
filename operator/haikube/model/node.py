"""Node: whether what runs on it will have to go."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model.meta import Meta, Raw, parse_meta

_EXPELS = frozenset({"NoSchedule", "NoExecute"})
_HEALTH = "node.kubernetes.io/"
"""Taints by which Kubernetes tells of a node's health: they come and go by themselves."""


@dataclass(frozen=True, slots=True)
class Node:
    """``leaving`` says that it was cordoned, or tainted by whoever is about to remove it."""

    meta: Meta
    leaving: bool


def parse_node(obj: Raw) -> Node:
    """Return the Node in a raw object.

    Its dynos were put there without tolerating a taint, so one that keeps dynos away came later.
    """
    spec = obj.get("spec") or {}
    taints = (each for each in spec.get("taints") or () if each.get("effect") in _EXPELS)
    tainted = any(not (each.get("key") or "").startswith(_HEALTH) for each in taints)
    return Node(parse_meta(obj), bool(spec.get("unschedulable")) or tainted)
