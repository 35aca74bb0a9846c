"""Node: whether what runs on it will have to go, and whether it may have users of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from haikube.model.meta import Meta, Raw, parse_meta

_EXPELS = frozenset({"NoSchedule", "NoExecute"})
_KERNEL = re.compile(r"(\d+)\.(\d+)")
_MAPS_USERS = (6, 3)
_HEALTH = "node.kubernetes.io/"
"""Taints by which Kubernetes tells of a node's health: they come and go by themselves."""


@dataclass(frozen=True, slots=True)
class Node:
    """``leaving`` says that it was cordoned, or tainted by whoever is about to remove it.

    ``lends_users`` says that its pods can have user ids of their own.
    """

    meta: Meta
    leaving: bool
    lends_users: bool


def parse_node(obj: Raw) -> Node:
    """Return the Node in a raw object.

    Its dynos were put there without tolerating a taint, so one that keeps dynos away came later.
    """
    spec = obj.get("spec") or {}
    taints = (each for each in spec.get("taints") or () if each.get("effect") in _EXPELS)
    tainted = any(not (each.get("key") or "").startswith(_HEALTH) for each in taints)
    leaving = bool(spec.get("unschedulable")) or tainted
    return Node(parse_meta(obj), leaving, _lends_users(obj.get("status") or {}))


def _lends_users(status: Raw) -> bool:
    """Ask what the runtime says of itself, and for a kernel that maps users of every mount."""
    kernel = _KERNEL.match((status.get("nodeInfo") or {}).get("kernelVersion") or "")
    if not kernel or (int(kernel[1]), int(kernel[2])) < _MAPS_USERS:
        return False
    handlers = status.get("runtimeHandlers") or ()
    usual: Raw = next((each for each in handlers if not each.get("name")), {})
    return bool((usual.get("features") or {}).get("userNamespaces"))
