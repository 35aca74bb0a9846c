"""Objects of two runs made comparable: without what differs between equal runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import PODS, Resource

_UID = re.compile(r"uid-\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_NO_MATTER = frozenset({"resourceVersion", "managedFields", "creationTimestamp", "generation"})
_DERIVED = frozenset({labels.APPLIED_DIGEST, labels.CONFIG_SEEN, labels.CONFIG_VERSION})


def comparable(
    everything: Iterable[tuple[Resource, Json]], *, without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return every object by kind and name; uids become names, and pods one line each.

    ``without`` names further fields that do not matter, wherever they are.
    """
    objects = list(everything)
    names = {
        obj["metadata"]["uid"]: f"<{kind.kind} {obj['metadata']['name']}>"
        for kind, obj in objects
        if kind != PODS
    }
    found: dict[str, Any] = {}
    for kind, obj in objects:
        if kind == PODS:
            found.setdefault("pods", []).append(_pod_summary(obj))
        else:
            found[f"{kind.kind} {obj['metadata']['name']}"] = _masked(obj, names, without)
    return {**found, "pods": sorted(found.get("pods", []))}


def _pod_summary(pod: Json) -> str:
    metadata = pod["metadata"]
    dyno = (metadata.get("annotations") or {}).get(labels.DYNO, "")
    return f"{metadata['labels'][labels.COMPONENT]} {metadata['labels'].get(labels.RELEASE)} {dyno}"


def _condition(value: Any) -> str:
    """Return the type of a condition: they are a map by it, whatever order a server keeps."""
    return str(value.get("type", "")) if isinstance(value, dict) else ""


def _masked(obj: Json, names: Mapping[str, str], without: frozenset[str]) -> Any:
    dropped = _NO_MATTER | _DERIVED | without

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: each for key, each in value.items() if key not in dropped}
            return {key: walk(each) for key, each in kept.items()}
        if isinstance(value, list):
            items = [walk(each) for each in value]
            return sorted(items, key=_condition) if all(map(_condition, items)) else items
        if isinstance(value, str):
            text = _UID.sub(lambda uid: names.get(uid[0], "<gone>"), value)
            return _TIME.sub("<time>", text)
        return value

    signed = labels.EXPIRES_AT in obj["metadata"].get("annotations", {})
    if signed:
        obj = {**obj, "data": sorted(obj["data"])}
    return walk(obj)


def differences(found: Any, wanted: Any, place: str = "") -> list[str]:
    """Return where two states differ, in words."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted({*found, *wanted})
        parts = (differences(found.get(key), wanted.get(key), f"{place}/{key}") for key in keys)
        return [line for part in parts for line in part]
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        pairs = enumerate(zip(found, wanted, strict=True))
        parts = (differences(mine, other, f"{place}[{at}]") for at, (mine, other) in pairs)
        return [line for part in parts for line in part]
    return [] if found == wanted else [f"{place}: {found!r}, wanted {wanted!r}"]
