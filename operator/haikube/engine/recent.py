"""A dict that forgets its oldest entries: memory that cannot grow without bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Holds the ``limit`` entries written last; tells ``forgotten`` of each that gives way."""

    def __init__(self, limit: int, forgotten: Callable[[K, V], None] | None = None) -> None:
        self._limit = limit
        self._forgotten = forgotten
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __setitem__(self, key: K, value: V) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            oldest = self._entries.popitem(last=False)
            if self._forgotten is not None:
                self._forgotten(*oldest)

    def get(self, key: K) -> V | None:
        """Return what was written under ``key``, if it is still remembered."""
        return self._entries.get(key)

    def pop(self, key: K) -> None:
        """Forget ``key``, known or not."""
        self._entries.pop(key, None)
