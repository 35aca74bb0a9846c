"""Has anybody touched what we applied? Answered from ``managedFields``, without a call.

Theory of operation. The API server records per field who set it last. When anyone else changes or
removes a field that we applied (``kubectl edit``, another controller, a forced apply), the server
takes that field away from our entry in ``metadata.managedFields``. Hence an object still is as we
applied it if (1) it carries the digest of what we want now in an annotation that we own, and
(2) our entry still covers every field of what we want.

No value is compared, so the server's normalisation (``1000m`` stored as ``1``) cannot mislead us;
nothing has to be remembered, so it also holds after a restart, for edits made meanwhile, and for
kinds without ``metadata.generation``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from haikube.model.digest import canonical

Fields = Mapping[str, Any]

_IDENTITY = frozenset({"apiVersion", "kind"})
_METADATA_IDENTITY = frozenset({"name", "namespace", "uid", "resourceVersion", "generateName"})


def owned_fields(obj: Mapping[str, Any], manager: str) -> str:
    """Return the fields that ``manager`` has applied and still owns, as JSON; "" for none."""
    for entry in obj.get("metadata", {}).get("managedFields", ()):
        if (
            entry.get("manager") == manager
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
        ):
            return canonical(entry.get("fieldsV1", {}))
    return ""


def covers(owned: str, wanted: Mapping[str, Any]) -> bool:
    """Return whether every field of the ``wanted`` object is still among the ``owned`` ones."""
    if not owned:
        return False
    fields: Fields = json.loads(owned)
    metadata = wanted.get("metadata", {})
    rest = {key: value for key, value in wanted.items() if key not in {*_IDENTITY, "metadata"}}
    kept = {key: value for key, value in metadata.items() if key not in _METADATA_IDENTITY}
    return _covers_map(fields, rest) and _covers_map(fields.get("f:metadata", {}), kept)


def _covers_map(fields: Fields, wanted: Mapping[str, Any]) -> bool:
    return all(_covers_key(fields, key, value) for key, value in wanted.items())


def _covers_key(fields: Fields, key: str, value: Any) -> bool:  # noqa: ANN401 - any JSON
    if value is None or value == []:
        return True  # the server records neither
    inner = fields.get(f"f:{key}")
    return inner is not None and _covers_value(inner, value)


def _covers_value(fields: Fields, value: Any) -> bool:  # noqa: ANN401 - any JSON
    if not fields.keys() - {"."}:
        return True  # a leaf, or a map or list that is owned as a whole
    if isinstance(value, Mapping):
        return _covers_map(fields, value)
    return isinstance(value, list) and _covers_list(fields, value)


def _covers_list(fields: Fields, wanted: list[Any]) -> bool:
    keyed = [
        (json.loads(name[2:]), inner) for name, inner in fields.items() if name.startswith("k:")
    ]
    return all(
        any(_has_key(item, key) and _covers_value(inner, item) for key, inner in keyed)
        if isinstance(item, Mapping)
        else f"v:{canonical(item)}" in fields
        for item in wanted
    )


def _has_key(item: Mapping[str, Any], key: Mapping[str, Any]) -> bool:
    """Return whether a list item has this key; a part it leaves out was defaulted."""
    shared = key.keys() & item.keys()
    return bool(shared) and all(item[name] == key[name] for name in shared)
