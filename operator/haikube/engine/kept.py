"""One object as the store keeps it: at hand for a while after it was asked for, packed later.

Many a version is followed by the next one while it is at hand: such a one is never packed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from haikube.cluster.port import Json
from haikube.engine.ownership import owned_fields
from haikube.engine.packed import Packer
from haikube.engine.recent import Recent
from haikube.model.resources import Resource

Object = Mapping[str, Any]
Prune = Callable[[Json], Json]
Parse = Callable[[Object], Any]
Index = Callable[[Object], Iterable[str]]
Indexes = Mapping[str, tuple[Iterable[Resource], Index]]
"""By the name of an index: the kinds that it holds, and under what."""

Places = tuple[tuple[str, str], ...]
"""Each index that holds an object, and under what."""

AT_HAND = 512
"""Objects that are kept as they are; all that the workers look at at once."""

_KUBECTL_COPY = "kubectl.kubernetes.io/last-applied-configuration"
_UNPARSED: Any = object()


@dataclass(slots=True, eq=False)
class Entry:
    """What is kept of one object: nothing ``packed`` at first; ``value`` of kinds kept parsed."""

    version: int
    uid: str
    packed: bytes
    value: Any


@dataclass(slots=True)
class Open:
    """One object that is at hand, and the fields of it that our manager owns."""

    resource: Resource
    obj: Object
    owned: str
    value: Any = _UNPARSED
    places: Places | None = None


class Shelf:
    """Packs objects and opens them again; what it gives is shared, so nobody may change it."""

    def __init__(
        self,
        manager: str,
        prune: Mapping[Resource, Prune],
        parse: Mapping[Resource, Parse],
        indexes: Indexes,
        parsed: frozenset[Resource],
    ) -> None:
        self._manager = manager
        self._prune = prune
        self._parse = parse
        self._indexes: defaultdict[Resource, list[tuple[str, Index]]] = defaultdict(list)
        for name, (kinds, index) in indexes.items():
            for kind in kinds:
                self._indexes[kind].append((name, index))
        self._parsed = parsed
        self._packer = Packer()
        self._at_hand: Recent[Entry, Open] = Recent(AT_HAND, self._pack)

    def keep(self, resource: Resource, obj: Json, version: int) -> Entry:
        """Return what is to be kept of an object."""
        pruned = without_noise(obj)
        if (prune := self._prune.get(resource)) is not None:
            pruned = prune(pruned)
        opened = Open(resource, pruned, owned_fields(obj, self._manager))
        if resource in self._parsed:
            opened.value = self._parse[resource](pruned)
        entry = Entry(version, obj["metadata"]["uid"], b"", opened.value)
        self._at_hand[entry] = opened
        return entry

    def _pack(self, entry: Entry, opened: Open) -> None:
        if not entry.packed:
            entry.packed = self._packer.pack(opened.resource, (opened.obj, opened.owned))

    def places(self, opened: Open) -> Places:
        """Return where the indexes hold an object."""
        if opened.places is None:
            opened.places = tuple(
                (name, intern(value))
                for name, index in self._indexes[opened.resource]
                for value in index(opened.obj)
            )
        return opened.places

    def open(self, resource: Resource, entry: Entry) -> Open:
        """Return an object as it is."""
        found = self._at_hand.get(entry)
        if found is None:
            obj, owned = self._packer.unpack(resource, entry.packed)
            self._at_hand[entry] = found = Open(resource, obj, owned, entry.value)
        return found

    def value(self, resource: Resource, entry: Entry) -> Any:  # noqa: ANN401 - what ``parse`` makes
        """Return an object as it was parsed."""
        if entry.value is not _UNPARSED:
            return entry.value
        opened = self.open(resource, entry)
        if opened.value is _UNPARSED:
            parse = self._parse.get(resource)
            opened.value = parse(opened.obj) if parse is not None else opened.obj
        return opened.value

    def put_away(self, entry: Entry) -> None:
        """Have an object no longer at hand."""
        self._at_hand.pop(entry)


def without_noise(obj: Json) -> Json:
    """Return an object without managed fields and kubectl's copy of it."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    if _KUBECTL_COPY in metadata.get("annotations", {}):
        kept = {key: text for key, text in metadata["annotations"].items() if key != _KUBECTL_COPY}
        metadata["annotations"] = kept
    return {**obj, "metadata": metadata}
