"""What the engine knows of the cluster: the newest version of every object, by kind.

Rules:

1. Sources are lists, watch events and the answers to our own writes, in any order. Of two versions
   the higher resourceVersion counts. What was deleted at a version comes back only at a higher
   one: a watch with a selector tells of an object that lost its label as of a deleted one. A new
   uid under the same name replaces the old one.
2. A deletion that no event reported is found by ``replace`` and ``diff``.
3. ``put`` returns a change only if something that was kept differs: noise wakes nobody.
4. Objects are parsed once, when they are put, and the texts that they have in common are kept
   once. Raw or parsed they are shared, not copied: nobody may change what they get from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from haikube.cluster.port import Json, Listing
from haikube.engine.change import (
    Change,
    Expected,
    Listener,
    anything,
    comparable,
    nothing,
)
from haikube.engine.ownership import owned_fields
from haikube.engine.recent import Recent
from haikube.engine.texts import shared
from haikube.model.resources import Resource

Object = Mapping[str, Any]
Name = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
Objects = list[Object]
Values = list[Any]
Changes = list[Change]
Prune = Callable[[Json], Json]
Parse = Callable[[Object], Any]
Index = Callable[[Object], Iterable[str]]

_TOMBSTONES = 20_000
_KUBECTL_COPY = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Gap:
    """What a list shows that the store has missed."""

    deleted: tuple[Change, ...]
    outdated: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    obj: Object
    version: int
    owned: str
    value: Any
    places: tuple[tuple[str, str], ...]


def without_noise(obj: Json) -> Json:
    """Return an object without managed fields and kubectl's copy of it."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    if _KUBECTL_COPY in metadata.get("annotations", {}):
        kept = {key: text for key, text in metadata["annotations"].items() if key != _KUBECTL_COPY}
        metadata["annotations"] = kept
    return {**obj, "metadata": metadata}


def name_of(obj: Object) -> Name:
    """Return the name under which an object is kept."""
    return obj["metadata"].get("namespace") or "", obj["metadata"]["name"]


class Store:
    """See the module; ``manager`` is the field manager whose ownership is remembered."""

    def __init__(
        self,
        manager: str,
        *,
        prune: Mapping[Resource, Prune] | None = None,
        parse: Mapping[Resource, Parse] | None = None,
        indexes: Mapping[str, Index] | None = None,
    ) -> None:
        self._manager = manager
        self._prune = dict(prune or {})
        self._parse = dict(parse or {})
        self._indexes = dict(indexes or {})
        self._entries: dict[Resource, dict[Name, _Entry]] = {}
        self._found: dict[tuple[Resource, str, str], dict[Name, None]] = {}
        self._dead: Recent[str, int] = Recent(_TOMBSTONES)
        self._uids: set[str] = set()
        self.listener: Listener | None = None

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """Return one object, or None."""
        entry = self._entries.get(resource, {}).get((namespace or "", name))
        return entry.obj if entry else None

    def value(self, resource: Resource, namespace: str | None, name: str) -> Any:  # noqa: ANN401 - what ``parse`` makes
        """Return one object as it was parsed, or None."""
        entry = self._entries.get(resource, {}).get((namespace or "", name))
        return entry.value if entry else None

    def values(self, resource: Resource, index: str, value: str) -> Values:
        """Return the parsed objects that an index holds under ``value``, by name."""
        names = self._found.get((resource, index, value), ())
        entries = self._entries.get(resource, {})
        return [entries[name].value for name in sorted(names)]

    def list(self, resource: Resource, namespace: str | None = None) -> Objects:
        """Return all objects of a kind, of one namespace or of all."""
        entries = self._entries.get(resource, {})
        return [
            entry.obj for (ns, _), entry in entries.items() if namespace is None or ns == namespace
        ]

    def find(self, resource: Resource, index: str, value: str) -> Objects:
        """Return the objects that an index holds under ``value``, by name."""
        names = self._found.get((resource, index, value), ())
        return [self._entries[resource][name].obj for name in sorted(names)]

    def owned(self, resource: Resource, namespace: str | None, name: str) -> str:
        """Return which fields of an object our manager owns, for ``ownership.covers``."""
        entry = self._entries.get(resource, {}).get((namespace or "", name))
        return entry.owned if entry else ""

    def knows(self, uid: str) -> bool:
        """Return whether an object of a kind that is kept lives."""
        return uid in self._uids

    def count(self, resource: Resource) -> int:
        """Return how many objects of a kind are known."""
        return len(self._entries.get(resource, {}))

    def put(
        self,
        resource: Resource,
        event: EventType | None,
        obj: Json,
        *,
        expected: Expected = nothing,
    ) -> Change | None:
        """Take in one version of an object; returns what changed, if anything did."""
        change = self._take_in(resource, event, obj)
        self._tell(change, expected)
        return change

    def _tell(self, change: Change | None, expected: Expected) -> None:
        if change is not None and self.listener is not None:
            self.listener(change, expected(change))

    def _take_in(self, resource: Resource, event: EventType | None, obj: Json) -> Change | None:
        if event == "DELETED":
            return self._bury(resource, obj)
        uid = obj["metadata"]["uid"]
        name, version = name_of(obj), int(obj["metadata"]["resourceVersion"])
        old = self._entries.get(resource, {}).get(name)
        died = self._dead.get(uid)
        if (died is not None and version <= died) or (old is not None and version <= old.version):
            return None
        new = self._entry(resource, obj, version)
        self._set(resource, name, old, new)
        if old is not None and _same(old, new):
            return None
        return Change(resource, old.obj if old else None, new.obj)

    def _entry(self, resource: Resource, obj: Json, version: int) -> _Entry:
        pruned = without_noise(obj)
        if (prune := self._prune.get(resource)) is not None:
            pruned = prune(pruned)
        pruned = shared(pruned)
        parse = self._parse.get(resource)
        parsed = parse(pruned) if parse is not None else pruned
        places = tuple(
            (index, value) for index, values in self._indexes.items() for value in values(pruned)
        )
        return _Entry(pruned, version, owned_fields(obj, self._manager), parsed, places)

    def forget(self, resource: Resource, namespace: str | None, name: str, uid: str) -> None:
        """Drop an object that a call of ours has just deleted; events may still show it dying."""
        key = (namespace or "", name)
        entry = self._entries.get(resource, {}).get(key)
        if entry is not None and entry.obj["metadata"]["uid"] == uid:
            self._drop(resource, key, entry)
            self._tell(Change(resource, entry.obj, None), anything)

    def replace(self, resource: Resource, listing: Listing) -> Changes:
        """Take in a complete list of a kind; objects that it lacks are gone."""
        changes = [*self.diff(resource, listing).deleted]
        puts = (self.put(resource, None, item) for item in listing.items)
        changes.extend(change for change in puts if change is not None)
        return changes

    def diff(self, resource: Resource, listing: Listing) -> Gap:
        """Compare with a list (metadata is enough): drop what is gone, name what is outdated.

        An object newer than the list may be missing in it, and stays.
        """
        entries = self._entries.setdefault(resource, {})
        seen = {name_of(item): item["metadata"] for item in listing.items}
        horizon = int(listing.resource_version)
        gone = [
            (name, entry)
            for name, entry in entries.items()
            if entry.version <= horizon
            and seen.get(name, {}).get("uid") != entry.obj["metadata"]["uid"]
        ]
        deleted = tuple(self._lose(resource, name, entry, horizon) for name, entry in gone)
        for change in deleted:
            self._tell(change, nothing)
        outdated = tuple(
            name
            for name, metadata in seen.items()
            if name not in entries or entries[name].version < int(metadata["resourceVersion"])
        )
        return Gap(deleted, outdated)

    def _lose(self, resource: Resource, name: Name, entry: _Entry, version: int) -> Change:
        self._dead[entry.obj["metadata"]["uid"]] = version
        self._drop(resource, name, entry)
        return Change(resource, entry.obj, None)

    def _bury(self, resource: Resource, obj: Json) -> Change | None:
        uid, version = obj["metadata"]["uid"], int(obj["metadata"]["resourceVersion"])
        entry = self._entries.get(resource, {}).get(name_of(obj))
        if entry is None or entry.obj["metadata"]["uid"] != uid:
            self._dead[uid] = version
            return None
        if version < entry.version:
            return None
        return self._lose(resource, name_of(obj), entry, version)

    def _set(self, resource: Resource, name: Name, old: _Entry | None, new: _Entry) -> None:
        if old is not None:
            self._unindex(resource, name, old)
            self._uids.discard(old.obj["metadata"]["uid"])
        self._uids.add(new.obj["metadata"]["uid"])
        self._entries.setdefault(resource, {})[name] = new
        for place in new.places:
            self._found.setdefault((resource, *place), {})[name] = None

    def _drop(self, resource: Resource, name: Name, entry: _Entry) -> None:
        self._unindex(resource, name, entry)
        self._uids.discard(entry.obj["metadata"]["uid"])
        del self._entries[resource][name]

    def _unindex(self, resource: Resource, name: Name, entry: _Entry) -> None:
        for place in entry.places:
            names = self._found.get((resource, *place), {})
            names.pop(name, None)
            if not names:
                self._found.pop((resource, *place), None)


def _same(old: _Entry, new: _Entry) -> bool:
    return old.owned == new.owned and comparable(old.obj) == comparable(new.obj)
