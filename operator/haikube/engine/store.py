"""What the engine knows of the cluster: the newest version of every object, by kind.

Rules:

1. Sources are lists, watch events and the answers to our own writes, in any order. Of two versions
   the higher resourceVersion counts. What was deleted at a version comes back only at a higher
   one: a watch with a selector tells of an object that lost its label as of a deleted one. A new
   uid under the same name replaces the old one.
2. A deletion that no event reported is found by ``replace`` and ``diff``.
3. ``put`` returns a change only if something that was kept differs: noise wakes nobody.
4. Kept are packed bytes (see ``packed``). What was put or asked for lately is at hand as it is, and
   parsed once. Raw or parsed it is shared, not copied: nobody may change what they get from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from sys import intern
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
from haikube.engine.kept import Entry, Indexes, Open, Parse, Places, Prune, Shelf
from haikube.engine.recent import Recent
from haikube.model.resources import Resource

Object = Mapping[str, Any]
Name = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""

EventType = Literal["ADDED", "MODIFIED", "DELETED"]
Objects = list[Object]
Uids = dict[str, tuple[str, str]]
Values = Sequence[Any]
Changes = list[Change]

_TOMBSTONES = 20_000
_GROUPS = 512
"""Answers of ``values`` that are at hand: those that the workers ask for round after round."""

_FEW = 8
"""Values in such an answer at most: what is long would keep a history parsed for long."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What a list shows that the store has missed."""

    deleted: tuple[Change, ...]
    outdated: tuple[Name, ...]


def name_of(obj: Object) -> Name:
    """Return the name under which an object is kept."""
    return intern(obj["metadata"].get("namespace") or ""), obj["metadata"]["name"]


class Store:
    """See the module; ``manager`` is the field manager whose ownership is remembered.

    Of the kinds in ``parsed`` all objects are looked at so often that they are kept parsed.
    """

    def __init__(
        self,
        manager: str,
        *,
        prune: Mapping[Resource, Prune] | None = None,
        parse: Mapping[Resource, Parse] | None = None,
        indexes: Indexes | None = None,
        parsed: Iterable[Resource] = (),
    ) -> None:
        self._shelf = Shelf(manager, prune or {}, parse or {}, indexes or {}, frozenset(parsed))
        self._entries: dict[Resource, dict[Name, Entry]] = {}
        self._found: dict[tuple[Resource, str, str], dict[Name, None]] = {}
        self._groups: Recent[tuple[Resource, str, str], Values] = Recent(_GROUPS)
        self._dead: Recent[str, int] = Recent(_TOMBSTONES)
        self._awaited: dict[tuple[Resource, Name], Expected] = {}
        self.listener: Listener | None = None

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """Return one object, or None."""
        entry = self._entries.get(resource, {}).get((namespace or "", name))
        return self._shelf.open(resource, entry).obj if entry else None

    def value(self, resource: Resource, namespace: str | None, name: str) -> Any:  # noqa: ANN401 - what ``parse`` makes
        """Return one object as it was parsed, or None."""
        entry = self._entries.get(resource, {}).get((namespace or "", name))
        return self._shelf.value(resource, entry) if entry else None

    def values(self, resource: Resource, index: str, value: str) -> Values:
        """Return the parsed objects that an index holds under ``value``, by name."""
        place = (resource, index, value)
        if (known := self._groups.get(place)) is not None:
            return known
        names = self._found.get(place)
        if not names:
            return ()
        entries = self._entries[resource]
        found = tuple(self._shelf.value(resource, entries[name]) for name in sorted(names))
        if len(found) <= _FEW:
            self._groups[place] = found
        return found

    def list(self, resource: Resource, namespace: str | None = None) -> Objects:
        """Return all objects of a kind, of one namespace or of all."""
        return [
            self._shelf.open(resource, entry).obj
            for (ns, _), entry in self._entries.get(resource, {}).items()
            if namespace is None or ns == namespace
        ]

    def uids(self, resource: Resource) -> Uids:
        """Return the uid of each object of a kind, and under which name it is."""
        return {entry.uid: name for name, entry in self._entries.get(resource, {}).items()}

    def find(self, resource: Resource, index: str, value: str) -> Objects:
        """Return the objects that an index holds under ``value``, by name."""
        names = self._found.get((resource, index, value), ())
        entries = self._entries.get(resource, {})
        return [self._shelf.open(resource, entries[name]).obj for name in sorted(names)]

    def places(self, resource: Resource, index: str) -> set[str]:
        """Return all that an index holds objects of a kind under."""
        return {value for kind, name, value in self._found if kind == resource and name == index}

    def number(self, resource: Resource, index: str, value: str) -> int:
        """Return how many objects an index holds under ``value``."""
        return len(self._found.get((resource, index, value), ()))

    def owned(self, resource: Resource, namespace: str | None, name: str) -> str:
        """Return which fields of an object our manager owns, for ``ownership.covers``."""
        entry = self._entries.get(resource, {}).get((namespace or "", name))
        return self._shelf.open(resource, entry).owned if entry else ""

    def knows(self, uid: str) -> bool:
        """Return whether an object of a kind that is kept lives."""
        return any(uid == each.uid for kind in self._entries.values() for each in kind.values())

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
        self._tell(change, self._awaited.get((resource, name_of(obj)), expected))
        return change

    @contextmanager
    def awaiting(
        self, resource: Resource, namespace: str, name: str, expected: Expected
    ) -> Iterator[None]:
        """Expect a change of an object while we write it: the event may outrun the answer."""
        place = (resource, (namespace, name))
        self._awaited[place] = expected
        try:
            yield
        finally:
            self._awaited.pop(place, None)

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
        new = self._shelf.keep(resource, obj, version)
        before = self._shelf.open(resource, old) if old else None
        self._set(resource, name, old, new)
        after = self._shelf.open(resource, new)
        if before is not None and _same(before, after):
            return None
        return Change(resource, before.obj if before else None, after.obj)

    def forget(self, resource: Resource, namespace: str | None, name: str, uid: str) -> None:
        """Drop an object that a call of ours has just deleted; events may still show it dying."""
        key = (namespace or "", name)
        entry = self._entries.get(resource, {}).get(key)
        if entry is not None and entry.uid == uid:
            self._tell(self._drop(resource, key, entry), anything)

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
            if entry.version <= horizon and seen.get(name, {}).get("uid") != entry.uid
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

    def _lose(self, resource: Resource, name: Name, entry: Entry, version: int) -> Change:
        self._dead[entry.uid] = version
        return self._drop(resource, name, entry)

    def _bury(self, resource: Resource, obj: Json) -> Change | None:
        uid, version = obj["metadata"]["uid"], int(obj["metadata"]["resourceVersion"])
        entry = self._entries.get(resource, {}).get(name_of(obj))
        if entry is None or entry.uid != uid:
            self._dead[uid] = version
            return None
        if version < entry.version:
            return None
        return self._lose(resource, name_of(obj), entry, version)

    def _set(self, resource: Resource, name: Name, old: Entry | None, new: Entry) -> None:
        self._entries.setdefault(resource, {})[name] = new
        before = self._places(resource, old) if old is not None else ()
        after = self._places(resource, new)
        if before != after:
            self._unindex(resource, name, before)
            for place in after:
                self._found.setdefault((resource, *place), {})[name] = None
        self._regroup(resource, after)
        if old is not None:
            self._shelf.put_away(old)

    def _drop(self, resource: Resource, name: Name, entry: Entry) -> Change:
        gone = Change(resource, self._shelf.open(resource, entry).obj, None)
        self._unindex(resource, name, self._places(resource, entry))
        self._shelf.put_away(entry)
        del self._entries[resource][name]
        return gone

    def _places(self, resource: Resource, entry: Entry) -> Places:
        return self._shelf.places(self._shelf.open(resource, entry))

    def _regroup(self, resource: Resource, places: Places) -> None:
        for place in places:
            self._groups.pop((resource, *place))

    def _unindex(self, resource: Resource, name: Name, places: Places) -> None:
        self._regroup(resource, places)
        for place in places:
            names = self._found.get((resource, *place), {})
            names.pop(name, None)
            if not names:
                self._found.pop((resource, *place), None)


def _same(old: Open, new: Open) -> bool:
    return old.owned == new.owned and comparable(old.obj) == comparable(new.obj)
