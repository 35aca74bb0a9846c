"""Objects as sets of fields: the paths that server-side apply reasons about.

A path is a tuple of ``f:name`` (member of a map), ``k:{...}`` (item of a list of maps, by its
key) and ``v:value`` (item of a set), as in ``metadata.managedFields``. Which lists have keys and
which maps are owned as a whole is the part of the Kubernetes schema that our objects use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
Paths = frozenset[Path]

SELF = "."
"""Last step of the path of a list item itself."""

LIST_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "conditions": (("type",),),
    "containers": (("name",),),
    "initContainers": (("name",),),
    "volumes": (("name",),),
    "env": (("name",),),
    "volumeMounts": (("mountPath",),),
    "imagePullSecrets": (("name",),),
    "ownerReferences": (("uid",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "processTypes": (("name",),),
    "domains": (("hostname",),),
}
WHOLE_ITEMS = frozenset({"ownerReferences"})
"""Lists whose items have keys but are owned as a whole."""

SETS = frozenset({"finalizers"})
WHOLE = frozenset(
    {"selector", "nodeSelector", "fieldRef", "secretKeyRef", "configMapKeyRef", "securityProfile"}
)
KEY_DEFAULTS = {"protocol": "TCP"}

_NOT_OWNED = frozenset({"apiVersion", "kind"})
_NOT_OWNED_METADATA = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "managedFields",
        "generateName",
    }
)


def ownable(obj: Mapping[str, Any], *, status: bool) -> dict[str, Any]:
    """Return the part of an object that managers own: its status, or all but its status."""
    if status:
        return {"status": obj["status"]} if "status" in obj else {}
    metadata = obj.get("metadata", {})
    outside = {*_NOT_OWNED, "metadata", "status"}
    part = {key: value for key, value in obj.items() if key not in outside}
    kept = {key: value for key, value in metadata.items() if key not in _NOT_OWNED_METADATA}
    return {**part, "metadata": kept} if kept else part


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - any JSON
    """Yield every leaf below ``path`` with its value."""
    name = path[-1][2:] if path else ""
    if isinstance(value, Mapping) and value and name not in WHOLE:
        for key, item in value.items():
            yield from leaves(item, (*path, f"f:{key}"))
    elif isinstance(value, list) and name in WHOLE_ITEMS:
        yield from (((*path, item_key(name, item)), item) for item in value)
    elif isinstance(value, list) and name in LIST_KEYS:
        for item in value:
            inner = (*path, item_key(name, item))
            yield (*inner, SELF), None
            yield from leaves(item, inner)
    elif isinstance(value, list) and name in SETS:
        yield from (((*path, f"v:{json.dumps(item)}"), item) for item in value)
    elif value is not None:
        yield path, value


def item_key(name: str, item: Mapping[str, Any]) -> str:
    """Return the step that leads to an item of the list ``name``."""
    keys = next(keys for keys in LIST_KEYS[name] if keys[0] in item)
    found = {key: item.get(key, KEY_DEFAULTS.get(key)) for key in keys}
    return "k:" + json.dumps(found, sort_keys=True, separators=(",", ":"))


def complete(value: Any, name: str = "") -> None:  # noqa: ANN401 - any JSON
    """Give the items of lists the keys that the API server gives them, where they lack them."""
    if isinstance(value, dict):
        for key, each in value.items():
            complete(each, key)
    elif isinstance(value, list):
        for item in value:
            _complete_item(item, name)


def _complete_item(item: Any, name: str) -> None:  # noqa: ANN401 - any JSON
    complete(item)
    for keys in LIST_KEYS.get(name, ()):
        if isinstance(item, dict) and keys[0] in item:
            for key in keys[1:]:
                item.setdefault(key, KEY_DEFAULTS[key])


def fields_v1(paths: Iterable[Path]) -> dict[str, Any]:
    """Return paths as the nested maps of ``fieldsV1``."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for step in path:
            node = node.setdefault(step, {})
    return tree


def lookup(value: Any, path: Path) -> Any:  # noqa: ANN401 - any JSON
    """Return what is at ``path``; None if nothing is."""
    for step in path:
        if step == SELF or value is None:
            return value
        value = _step(value, step)
    return value


def _step(value: Any, step: str) -> Any:  # noqa: ANN401 - any JSON
    if step.startswith("f:"):
        return value.get(step[2:]) if isinstance(value, Mapping) else None
    if not isinstance(value, list):
        return None
    if step.startswith("v:"):
        wanted = json.loads(step[2:])
        return wanted if wanted in value else None
    return next((item for item in value if _fits(item, step)), None)


def _fits(item: Any, step: str) -> bool:  # noqa: ANN401 - any JSON
    wanted = json.loads(step[2:])
    return all(item.get(key, KEY_DEFAULTS.get(key)) == value for key, value in wanted.items())


def put(root: dict[str, Any], path: Path, value: Any) -> None:  # noqa: ANN401 - any JSON
    """Set what is at ``path``, making the maps and lists on the way."""
    node: Any = root
    for step, following in zip(path, (*path[1:], ""), strict=True):
        if step == SELF:
            return
        if following in {"", SELF} and step.startswith("f:"):
            node[step[2:]] = value
            return
        node = _enter(node, step, following)
    if path[-1].startswith("k:"):
        node.clear()
        node.update(value)


def _enter(node: Any, step: str, following: str) -> Any:  # noqa: ANN401 - any JSON
    if step.startswith("f:"):
        empty: Any = {} if following.startswith("f:") else []
        if not isinstance(node.get(step[2:]), type(empty)):
            node[step[2:]] = empty
        return node[step[2:]]
    found = _step(node, step)
    if found is None:
        found = json.loads(step[2:])
        node.append(found)
    return found


def drop(root: dict[str, Any], path: Path) -> None:
    """Remove what is at ``path``, and the maps and lists that this leaves empty."""
    *way, last = [step for step in path if step != SELF]
    trail: list[tuple[Any, str]] = []
    node: Any = root
    for step in way:
        trail.append((node, step))
        node = _step(node, step)
        if node is None:
            return
    _remove(node, last)
    for parent, step in reversed(trail):
        if _step(parent, step):
            return
        _remove(parent, step)


def _remove(node: Any, step: str) -> None:  # noqa: ANN401 - any JSON
    if step.startswith("f:"):
        node.pop(step[2:], None)
        return
    found = _step(node, step)
    if found in node:
        node.remove(found)
