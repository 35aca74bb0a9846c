"""Hears of changes from the api's watch, and has the hooks of their apps called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from haikube.api.kernel.identity import app_name, made_id
from haikube.api.kernel.observed import Observed
from haikube.api.webhooks.data import event_data
from haikube.api.webhooks.deliver import Caller
from haikube.api.webhooks.events import Event, event_of
from haikube.api.webhooks.kept import Delivery, Hook, Kept
from haikube.cluster.port import Json
from haikube.model.resources import APPS, Resource
from haikube.settings import Settings
from haikube.storage.port import Storage, StorageError

_KNOWN_SECONDS: Final = 5.0
_MOST_AT_ONCE: Final = 200
_KNOWN: Final = 10_000
_MEDIA: Final = "application/vnd.heroku+json; version=3"

_log = structlog.get_logger(__name__)


class Herald:
    """One per process; of several processes that hear of a change, one tells of it."""

    def __init__(
        self, settings: Settings, storage: Storage, observed: Observed, caller: Caller
    ) -> None:
        self._settings = settings
        self._storage = storage
        self._observed = observed
        self._caller = caller
        self._tasks: set[asyncio.Task[None]] = set()
        self._hooks: dict[str, tuple[float, list[Hook]]] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear of changes while the block runs."""
        self._observed.listener = self.hear
        try:
            yield
        finally:
            self._observed.listener = None
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    def hear(self, resource: Resource, old: Json | None, new: Json | None) -> None:
        """Have an event told, beside whatever goes on; too many at once are dropped."""
        event = event_of(resource, old, new)
        app = self._app_of(event) if event else None
        if event is None or app is None or len(self._tasks) >= _MOST_AT_ONCE:
            return
        task = asyncio.create_task(self._tell(event, app, datetime.now(UTC)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self, uid: str) -> None:
        """Read the hooks of an app again: they were changed."""
        self._hooks.pop(uid, None)

    async def _tell(self, event: Event, app: Json, now: datetime) -> None:
        try:
            hooks = [each for each in await self._known(app) if event.include in each.include]
            await asyncio.gather(*(self._deliver(event, app, each, now) for each in hooks))
        except StorageError as error:
            _log.warning("webhooks cannot be read", app=app["metadata"]["name"], error=str(error))

    async def _deliver(self, event: Event, app: Json, hook: Hook, now: datetime) -> None:
        kept = Kept(self._storage, app["metadata"]["uid"])
        delivery = self._delivery(event, app, hook, now)
        etag = await kept.claim(delivery)
        if etag is not None:
            await self._caller.deliver(kept, hook, delivery, etag)

    async def _known(self, app: Json) -> list[Hook]:
        uid = app["metadata"]["uid"]
        known = self._hooks.get(uid)
        if known is None or known[0] < time.monotonic():
            if len(self._hooks) >= _KNOWN:
                self._hooks.clear()
            hooks = await Kept(self._storage, uid).hooks()
            known = (time.monotonic() + _KNOWN_SECONDS, hooks)
            self._hooks[uid] = known
        return known[1]

    def _app_of(self, event: Event) -> Json | None:
        if event.resource == APPS:
            return event.obj
        meta, spec = event.obj["metadata"], event.obj.get("spec") or {}
        name = (spec.get("appRef") or {}).get("name")
        name = name or (meta.get("labels") or {}).get("haikube.dev/app") or ""
        return self._observed.get(APPS, meta.get("namespace") or "", name)

    def _delivery(self, event: Event, app: Json, hook: Hook, now: datetime) -> Delivery:
        moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        return Delivery(
            id=made_id("delivery", f"{event.id}/{hook.id}"),
            hook=hook.id,
            level=hook.level,
            include=event.include,
            payload=self._payload(event, app, hook, moment),
            seq=int(now.timestamp() * 1_000_000),
            created_at=moment,
            updated_at=moment,
        )

    def _payload(self, event: Event, app: Json, hook: Hook, moment: str) -> dict[str, Any]:
        data = event_data(event, app, self._observed, self._settings)
        return {
            "id": event.id,
            "created_at": moment,
            "updated_at": moment,
            "published_at": moment,
            "sequence": None,
            "version": _MEDIA,
            "action": event.action,
            "resource": event.include.removeprefix("api:"),
            "actor": data.get("user") or {"email": "haikube", "id": made_id("account", "haikube")},
            "data": data,
            "previous_data": {},
            "webhook_metadata": {
                "attempt": {"id": made_id("attempt", f"{event.id}/{hook.id}")},
                "delivery": {"id": made_id("delivery", f"{event.id}/{hook.id}")},
                "event": {"id": event.id, "include": event.include},
                "webhook": {"id": hook.id},
                "app": {"id": app["metadata"]["uid"], "name": app_name(app)},
            },
        }
