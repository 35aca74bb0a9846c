"""The sizes of many stored objects: a look at each, or a listing of their area if that costs less.

A look is a request, of which a thousand builds would need four thousand every time; a listing tells
of a thousand objects in one, but of all that there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from haikube.storage.port import MissingObject, Storage

LISTED: Final = 30
"""Objects that are listed at the price of one look: 0.01 ms of CPU each, a look 0.33 ms."""

_SUPPOSED: Final = 3000
"""Objects in an area of which nothing is known."""


class Sizes:
    """Measures; remembers how many objects each area had when it was listed."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._held: defaultdict[str, int] = defaultdict(lambda: _SUPPOSED)

    async def of(self, keys: Iterable[str]) -> Mapping[str, int]:
        """Return the bytes of each object that exists. Raises ``StorageError``."""
        areas: defaultdict[str, set[str]] = defaultdict(set)
        for key in keys:
            areas[key.partition("/")[0]].add(key)
        found: dict[str, int] = {}
        for area, wanted in areas.items():
            is_cheap = len(wanted) * LISTED > self._held[area]
            found |= await (self._listed(area, wanted) if is_cheap else self._looked_at(wanted))
        return found

    async def _listed(self, area: str, wanted: Collection[str]) -> Mapping[str, int]:
        sizes, held = {}, 0
        async for item in self._storage.list(f"{area}/"):
            held += 1
            if item.key in wanted:
                sizes[item.key] = item.size
        self._held[area] = held
        return sizes

    async def _looked_at(self, wanted: Iterable[str]) -> Mapping[str, int]:
        sizes = {}
        for key in wanted:
            try:
                sizes[key] = (await self._storage.head(key)).size
            except MissingObject:
                continue
        return sizes
