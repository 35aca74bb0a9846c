"""How full the storage is, where its size is known: new builds are refused before it is.

A storage in a volume of the cluster has an end. Reaching it fails whatever is under way, for
everybody; a build that does not begin fails for one, with a reason.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

from haikube.engine.clock import Clock
from haikube.model.names import ALL_AREAS
from haikube.storage.port import Storage, StorageError

log = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds between two looks; each lists the whole bucket."""

FIRST: Final = 5.0
"""Seconds that a new leader waits for its first look, however large the bucket."""

_GB: Final = 1e9


class Usage:
    """Adds up what is stored; ``limit`` in bytes, 0 where nobody knows it and nobody looks."""

    def __init__(self, storage: Storage, clock: Clock, *, limit: int) -> None:
        self._storage = storage
        self._clock = clock
        self._limit = limit
        self.used = 0

    @property
    def full(self) -> str:
        """Return why no build may begin, or nothing."""
        if not self._limit or self.used < self._limit:
            return ""
        return f"the object storage holds {self.used / _GB:.1f} of {self._limit / _GB:.1f} GB"

    async def look(self) -> None:
        """Add up the bucket once."""
        sizes = [item.size for area in ALL_AREAS async for item in self._storage.list(f"{area}/")]
        self.used = sum(sizes)

    async def begin(self) -> None:
        """Look for the first time; a leader that has not would let builds fill a full storage."""
        if self._limit:
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST):
                    await self._try()

    async def run(self) -> None:
        """Look until cancelled; where there is no limit this rests for ever."""
        while True:
            await self._clock.sleep(EVERY)
            if self._limit:
                await self._try()

    async def _try(self) -> None:
        before = self.full
        try:
            await self.look()
        except StorageError as error:
            log.warning("the storage could not be measured, tried again later: %s", error)
        if self.full and not before:
            log.error("%s: new builds are refused", self.full)
