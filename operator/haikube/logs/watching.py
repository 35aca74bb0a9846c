"""One object, kept up to date by a watch: the latest state and a way to wait for the next."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from haikube.cluster.errors import ApiError, Forbidden, NotFound, Unauthorized
from haikube.cluster.port import Cluster, Json
from haikube.model.resources import Resource


class Watched:
    """Follows one object; a broken watch is read again after ``retry`` seconds."""

    def __init__(
        self, cluster: Cluster, resource: Resource, namespace: str, name: str, *, retry: float
    ) -> None:
        self._cluster = cluster
        self._resource = resource
        self._namespace = namespace
        self._name = name
        self._retry = retry
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.latest: Json = {}

    async def __aenter__(self) -> Self:
        self.latest = await self._cluster.get(self._resource, self._name, self._namespace)
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def changed(self, seconds: float) -> bool:
        """Wait for the next state; returns False when there is none within ``seconds``.

        Raises what ended the watch for good: the object is gone, or the caller's token expired.
        """
        task = self._task
        if task is not None and task.done() and (error := task.exception()):
            raise error
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
                self._changed.clear()
                return True
        return False

    async def _follow(self) -> None:
        while True:
            version = self.latest["metadata"].get("resourceVersion", "")
            try:
                await self._watch(version)
            except Unauthorized:
                raise
            except Forbidden:  # may read but not watch: look now and then
                await asyncio.sleep(max(self._retry, 1.0))
            except ApiError:
                await asyncio.sleep(self._retry)
            try:
                self._set(await self._cluster.get(self._resource, self._name, self._namespace))
            except (NotFound, Unauthorized):
                raise
            except ApiError:
                await asyncio.sleep(self._retry)

    async def _watch(self, version: str) -> None:
        events = self._cluster.watch(
            self._resource,
            self._namespace,
            fields=f"metadata.name={self._name}",
            resource_version=version,
        )
        async for event in events:
            if event.type == "DELETED":
                return
            self._set(event.object)

    def _set(self, obj: Json) -> None:
        before = self.latest.get("metadata", {}).get("resourceVersion")
        self.latest = obj
        if obj["metadata"].get("resourceVersion") != before:
            self._changed.set()
