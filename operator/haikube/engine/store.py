"""What the engine knows of the cluster: the newest version of every object, by kind.

Rules:

1. Sources are lists, watch events and the answers to our own writes, in any order. Of two versions
   the higher resourceVersion counts; what was deleted never comes back, a new uid under the same
   name replaces the old one.
2. A deletion that no event reported is found by ``replace`` and ``diff``.
3. ``put`` returns a change only if something that was kept differs: noise wakes nobody.
4. Objects are shared, not copied. Nobody may change what they get from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from haikube.cluster.port import Json, Listing
from haikube.engine.ownership import owned_fields
from haikube.engine.recent import Recent
from haikube.model.resources import Resource

Object = Mapping[str, Any]
Name = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
Objects = list[Object]
Changes = list["Change"]
Places = list[tuple[Resource, str, str]]
Prune = Callable[[Json], Json]
Index = Callable[[Object], Iterable[str]]

_TOMBSTONES = 20_000
_KUBECTL_COPY = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Change:
    """One object before and after; None for not there."""

    resource: Resource
    old: Object | None
    new: Object | None

    @property
    def object(self) -> Object:
        """Return the newest version known, be it the last one before deletion."""
        found = self.new if self.new is not None else self.old
        assert found is not None  # noqa: S101 - a change without both sides cannot be made
        return found


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


def owner_uids(obj: Object) -> Iterable[str]:
    """Index by the uids of all owners."""
    return (ref["uid"] for ref in obj["metadata"].get("ownerReferences", ()))


def by_label(label: str) -> Index:
    """Return an index by ``<namespace>/<value of label>``."""

    def index(obj: Object) -> Iterable[str]:
        value = obj["metadata"].get("labels", {}).get(label)
        return () if value is None else (f"{obj['metadata'].get('namespace', '')}/{value}",)

    return index


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
        indexes: Mapping[str, Index] | None = None,
    ) -> None:
        self._manager = manager
        self._prune = dict(prune or {})
        self._indexes: dict[str, Index] = {"owner": owner_uids, **(indexes or {})}
        self._entries: dict[Resource, dict[Name, _Entry]] = {}
        self._found: dict[tuple[Resource, str, str], dict[Name, None]] = {}
        self._dead: Recent[str, None] = Recent(_TOMBSTONES)

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """Return one object, or None."""
        entry = self._entries.get(resource, {}).get((namespace or "", name))
        return entry.obj if entry else None

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

    def count(self, resource: Resource) -> int:
        """Return how many objects of a kind are known."""
        return len(self._entries.get(resource, {}))

    def put(self, resource: Resource, event: EventType | None, obj: Json) -> Change | None:
        """Take in one version of an object; returns what changed, if anything did."""
        if event == "DELETED":
            return self._bury(resource, obj)
        uid = obj["metadata"]["uid"]
        name, version = name_of(obj), int(obj["metadata"]["resourceVersion"])
        old = self._entries.get(resource, {}).get(name)
        if uid in self._dead or (old is not None and version <= old.version):
            return None
        prune = self._prune.get(resource, _as_it_is)
        pruned = prune(without_noise(obj))
        new = _Entry(pruned, version, owned_fields(obj, self._manager))
        self._set(resource, name, old, new)
        if old is not None and _same(old, new):
            return None
        return Change(resource, old.obj if old else None, new.obj)

    def forget(self, resource: Resource, namespace: str | None, name: str, uid: str) -> None:
        """Drop an object that a call of ours has just deleted; events may still show it dying."""
        key = (namespace or "", name)
        entry = self._entries.get(resource, {}).get(key)
        if entry is not None and entry.obj["metadata"]["uid"] == uid:
            self._drop(resource, key, entry)

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
        deleted = tuple(self._lose(resource, name, entry) for name, entry in gone)
        outdated = tuple(
            name
            for name, metadata in seen.items()
            if name not in entries or entries[name].version < int(metadata["resourceVersion"])
        )
        return Gap(deleted, outdated)

    def _lose(self, resource: Resource, name: Name, entry: _Entry) -> Change:
        self._dead[entry.obj["metadata"]["uid"]] = None
        self._drop(resource, name, entry)
        return Change(resource, entry.obj, None)

    def _bury(self, resource: Resource, obj: Json) -> Change | None:
        uid = obj["metadata"]["uid"]
        self._dead[uid] = None
        entry = self._entries.get(resource, {}).get(name_of(obj))
        if entry is None or entry.obj["metadata"]["uid"] != uid:
            return None
        return self._lose(resource, name_of(obj), entry)

    def _set(self, resource: Resource, name: Name, old: _Entry | None, new: _Entry) -> None:
        if old is not None:
            self._unindex(resource, name, old.obj)
        self._entries.setdefault(resource, {})[name] = new
        for place in self._places(resource, new.obj):
            self._found.setdefault(place, {})[name] = None

    def _drop(self, resource: Resource, name: Name, entry: _Entry) -> None:
        self._unindex(resource, name, entry.obj)
        del self._entries[resource][name]

    def _unindex(self, resource: Resource, name: Name, obj: Object) -> None:
        for place in self._places(resource, obj):
            names = self._found.get(place, {})
            names.pop(name, None)
            if not names:
                self._found.pop(place, None)

    def _places(self, resource: Resource, obj: Object) -> Places:
        return [
            (resource, index, value)
            for index, values in self._indexes.items()
            for value in values(obj)
        ]


def _as_it_is(obj: Json) -> Json:
    return obj


def _same(old: _Entry, new: _Entry) -> bool:
    return old.owned == new.owned and _comparable(old.obj) == _comparable(new.obj)


def _comparable(obj: Object) -> Object:
    metadata = {key: text for key, text in obj["metadata"].items() if key != "resourceVersion"}
    return {**obj, "metadata": metadata}
