"""What happened in a ``FakeCluster``, for its watches: every change, until compacted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from haikube.cluster.errors import Expired
from haikube.cluster.port import Json, WatchEvent
from haikube.cluster.selectors import Test
from haikube.model.resources import Resource


@dataclass(frozen=True, slots=True)
class Record:
    """One change: the object before and after it; None for not there."""

    version: int
    resource: Resource
    old: Json | None
    new: Json | None

    def seen_through(self, test: Test) -> WatchEvent | None:
        """Return the event a watch with this selector shows, as objects come into its sight."""
        was = self.old is not None and test(self.old)
        if self.new is not None and test(self.new):
            return WatchEvent("MODIFIED" if was else "ADDED", self.new)
        if not was or self.old is None:
            return None
        metadata = {**self.old["metadata"], "resourceVersion": str(self.version)}
        return WatchEvent("DELETED", {**self.old, "metadata": metadata})


class History:
    """All records and the watches that follow them."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._oldest = 0
        self._cuts = 0
        self._news: set[asyncio.Event] = set()

    def add(self, record: Record) -> None:
        """Append a record and wake the watches."""
        self._records.append(record)
        self._wake()

    def compact(self) -> None:
        """Forget everything so far: older versions are too old to watch from."""
        if self._records:
            self._oldest = self._records[-1].version
            self._records.clear()

    def cut(self) -> None:
        """End every running watch, as a restart of the API server does."""
        self._cuts += 1
        self._wake()

    def follow(
        self, resource: Resource, test: Test, version: int
    ) -> AsyncGenerator[WatchEvent, None]:
        """Yield what happens after ``version``; raises ``Expired`` if that is forgotten.

        A cut counts from this call on, not from the first event taken.
        """
        return self._follow(resource, test, version, self._cuts)

    async def _follow(
        self, resource: Resource, test: Test, version: int, cuts: int
    ) -> AsyncGenerator[WatchEvent, None]:
        news = asyncio.Event()
        self._news.add(news)
        try:
            while self._cuts == cuts:
                news.clear()
                for record in self._after(version):
                    version = record.version
                    event = record.seen_through(test) if record.resource == resource else None
                    if event is not None:
                        yield event
                await news.wait()
        finally:
            self._news.discard(news)

    def _after(self, version: int) -> list[Record]:
        if version < self._oldest:
            raise Expired(410, "Expired", f"too old resource version: {version}")
        return [record for record in self._records if record.version > version]

    def _wake(self) -> None:
        for news in self._news:
            news.set()
