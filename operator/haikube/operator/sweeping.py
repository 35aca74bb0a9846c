"""When the object storage is swept: every hour; an app that is deleted is noted at once.

A sweep that is broken off costs nothing: the next one starts anew. Deletions that nobody saw, for
the operator was away, are found by the hourly one.
"""

from __future__ import annotations

import asyncio
import logging

from haikube.cluster.errors import ApiError
from haikube.engine.clock import Clock
from haikube.operator.sweep import Sweeper
from haikube.storage.port import StorageError

log = logging.getLogger(__name__)


class Sweeping:
    """Runs a sweeper; see the module."""

    def __init__(self, sweeper: Sweeper, clock: Clock, *, seconds: float) -> None:
        self._sweeper = sweeper
        self._clock = clock
        self._seconds = seconds
        self._gone: asyncio.Queue[str] = asyncio.Queue()

    def app_deleted(self, uid: str) -> None:
        """Remember that an app has gone."""
        self._gone.put_nowait(uid)

    async def run(self) -> None:
        """Sweep until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._everything())
            group.create_task(self._deleted_apps())

    async def _everything(self) -> None:
        while True:
            await self._clock.sleep(self._seconds)
            try:
                await self._sweeper.run()
            except (ApiError, StorageError) as error:
                log.warning("sweep broken off, tried again later: %s", error)

    async def _deleted_apps(self) -> None:
        while True:
            uid = await self._gone.get()
            try:
                await self._sweeper.note_deleted(uid)
            except (ApiError, StorageError) as error:
                log.warning("app %s not noted as deleted, left to the next sweep: %s", uid, error)
