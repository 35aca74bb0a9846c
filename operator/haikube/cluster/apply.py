"""Server-side apply and field ownership, as ``FakeCluster`` does them.

The same rules as the API server's, for the fields our objects have: a manager owns what it
applied; what it leaves out next time goes away unless somebody else owns it too; a change by
anybody else takes the ownership away; applying over another's different value is a conflict
unless forced.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from haikube.cluster.errors import Conflict
from haikube.cluster.fields import SELF, Paths, drop, fields_v1, leaves, lookup, ownable, put

Json = dict[str, Any]


class Manager(NamedTuple):
    """Who owns fields: by name, way of writing and subresource."""

    name: str
    operation: Literal["Apply", "Update"]
    status: bool = False


Owners = dict[Manager, Paths]


@dataclass(frozen=True, slots=True)
class Written:
    """An object after a write and who owns what in it."""

    obj: Json
    owners: Owners


def apply(
    live: Json, owners: Mapping[Manager, Paths], manager: Manager, wanted: Json, *, force: bool
) -> Written:
    """Return ``live`` with ``wanted`` applied by ``manager``."""
    new = dict(leaves(ownable(wanted, status=manager.status)))
    result, left = copy.deepcopy(live), dict(owners)
    before = left.pop(manager, frozenset())
    contested = {
        other: frozenset(path for path in paths if path in new and not _says(live, path, new[path]))
        for other, paths in left.items()
    }
    _refuse_conflicts(contested, force=force)
    left = {other: paths - contested[other] for other, paths in left.items()}
    kept = frozenset[tuple[str, ...]]().union(*left.values())
    for path in sorted(before - new.keys() - kept, key=_items_first):
        _drop_owned(result, path, kept)
    for path, value in new.items():
        if not _says(result, path, value):
            put(result, path, copy.deepcopy(value))
    left[manager] = frozenset(new)
    return Written(result, {who: paths for who, paths in left.items() if paths})


def update(live: Json, owners: Mapping[Manager, Paths], manager: Manager, wanted: Json) -> Written:
    """Return ``wanted`` as written over ``live`` by a create, update or patch."""
    old = dict(leaves(ownable(live, status=manager.status)))
    new = dict(leaves(ownable(wanted, status=manager.status)))
    changed = frozenset(
        path for path, value in new.items() if path not in old or old[path] != value
    )
    gone = frozenset(old.keys() - new.keys())
    left = {who: paths - changed - gone for who, paths in owners.items()}
    left[manager] = left.get(manager, frozenset()) | changed
    return Written(wanted, {who: paths for who, paths in left.items() if paths})


def managed_fields(owners: Mapping[Manager, Paths], api_version: str) -> list[Json]:
    """Return owners as ``metadata.managedFields``."""
    return [
        {
            "manager": who.name,
            "operation": who.operation,
            "apiVersion": api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields_v1(sorted(paths)),
            **({"subresource": "status"} if who.status else {}),
        }
        for who, paths in sorted(owners.items())
    ]


def merge_patch(target: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return ``target`` with a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _says(obj: Json, path: tuple[str, ...], value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Return whether an object has this already; an empty map asks only that there is a map."""
    found = lookup(obj, path)
    if path[-1] == SELF:
        return found is not None
    return bool(found == value or (value == {} and isinstance(found, Mapping)))


def _items_first(path: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    """Sort whole items of lists before their fields: without its key an item is not found."""
    return path[-1] != SELF, path


def _drop_owned(result: Json, path: tuple[str, ...], kept: Paths) -> None:
    """Drop a field; an item of a list goes only when nobody owns anything of it any more."""
    if path[-1] == SELF and any(other[: len(path) - 1] == path[:-1] for other in kept):
        return
    drop(result, path)


def _refuse_conflicts(contested: Mapping[Manager, Paths], *, force: bool) -> None:
    conflicts = {who.name: paths for who, paths in contested.items() if paths}
    if conflicts and not force:
        told = ", ".join(f'"{name}"' for name in sorted(conflicts))
        raise Conflict(
            409, "Conflict", f"Apply failed with conflict: conflicts with {told}; use force"
        )
