"""All drains of the cluster: one delivery for each, begun, ended and taken up again."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from haikube.cluster.errors import AlreadyExists, ApiError, NotFound
from haikube.cluster.port import Cluster, Json
from haikube.drains.delivery import Delivery, Source
from haikube.drains.guard import Guard
from haikube.drains.targets import target_of
from haikube.logs.line import read_stamp, stamp
from haikube.logs.position import Position
from haikube.model.drain import Drain, parse_drains
from haikube.model.names import drains_secret_name
from haikube.model.resources import APPS, CONFIG_MAPS, SECRETS, Resource

CHECKPOINTS: Final = "haikube-drain-checkpoints"
_SAVE_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class Sight(Protocol):
    """What is known of the cluster."""

    def all(self, resource: Resource, namespace: str | None = None) -> list[Json]:
        """Return the objects of a kind."""
        ...

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Return one object."""
        ...


class Checkpoints:
    """How far each drain has come, in a ConfigMap: by id, a position in its app's log."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._saved: dict[str, str] = {}

    async def read(self) -> dict[str, str]:
        """Return what was saved; raises ``ApiError``, for nobody may begin anew by mistake."""
        with suppress(NotFound):
            found = await self._cluster.get(CONFIG_MAPS, CHECKPOINTS, self._namespace)
            self._saved = dict(found.get("data") or {})
        return dict(self._saved)

    async def save(self, reached: dict[str, str]) -> None:
        """Save what is new, and forget drains that are gone."""
        change: dict[str, str | None] = {
            key: time for key, time in reached.items() if time and self._saved.get(key) != time
        }
        change |= dict.fromkeys(self._saved.keys() - reached.keys())
        if not change:
            return
        try:
            await self._write(change)
        except ApiError as error:
            _log.warning("checkpoints were not saved", error=str(error))
        else:
            self._saved = {key: time for key, time in reached.items() if time}

    async def _write(self, change: dict[str, str | None]) -> None:
        try:
            await self._cluster.patch(CONFIG_MAPS, CHECKPOINTS, self._namespace, {"data": change})
        except NotFound:
            meta = {"name": CHECKPOINTS, "namespace": self._namespace}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
            with suppress(AlreadyExists):
                await self._cluster.create(CONFIG_MAPS, {**body, "data": change})


class Shipping:
    """Looks which drains there are, and keeps a delivery for each."""

    def __init__(
        self,
        sight: Sight,
        checkpoints: Checkpoints,
        source: Callable[[Json], Source],
        guard: Guard,
        tls: ssl.SSLContext,
    ) -> None:
        self._sight = sight
        self._checkpoints = checkpoints
        self._source = source
        self._guard = guard
        self._tls = tls
        self._running: dict[tuple[str, str], tuple[Delivery, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Ship until cancelled; what has arrived is saved at the end, too."""
        reached = await self._checkpoints.read()
        saving = asyncio.create_task(self._save())
        try:
            while True:
                self.look(reached)
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            saving.cancel()
            await self._stop()

    def look(self, reached: dict[str, str]) -> None:
        """Begin what is new, end what is gone, begin again what broke."""
        wanted = {(drain.id, drain.url): (app, drain) for app, drain in self._drains()}
        for key, (delivery, task) in list(self._running.items()):
            if key not in wanted:
                task.cancel()
            elif not task.done():
                continue
            reached[key[0]] = str(delivery.reached)
            _look_at(task)
            del self._running[key]
        for key in wanted.keys() - self._running.keys():
            app, drain = wanted[key]
            delivery = Delivery(
                drain,
                self._source(app),
                target_of(drain, self._guard, self._tls),
                reached=_position(reached.get(drain.id, ""), drain),
            )
            self._running[key] = delivery, asyncio.create_task(delivery.run())

    def _drains(self) -> list[tuple[Json, Drain]]:
        """Return the drains of all apps; a Secret that another app left means nothing."""
        found = []
        for app in self._sight.all(APPS):
            meta = app["metadata"]
            name = drains_secret_name(meta["name"])
            secret = self._sight.get(SECRETS, meta["namespace"], name)
            owners = (secret or {}).get("metadata", {}).get("ownerReferences") or ()
            if secret and any(owner["uid"] == meta["uid"] for owner in owners):
                found += [(app, drain) for drain in parse_drains(secret)]
        return found

    async def _save(self) -> None:
        while True:
            await asyncio.sleep(_SAVE_SECONDS)
            await self._checkpoints.save(self._reached())

    def _reached(self) -> dict[str, str]:
        return {key[0]: str(delivery.reached) for key, (delivery, _) in self._running.items()}

    async def _stop(self) -> None:
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._checkpoints.save(self._reached())


def _position(saved: str, drain: Drain) -> Position:
    """Return where a drain goes on: one without a checkpoint begins when it was added."""
    with suppress(ValueError):
        return Position.parse(saved) if saved else Position(read_stamp(drain.created))
    return Position(stamp(datetime.now(UTC)))


def _look_at(task: asyncio.Task[None]) -> None:
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        _log.warning("a drain begins again", error=f"{type(error).__name__}: {error}")
