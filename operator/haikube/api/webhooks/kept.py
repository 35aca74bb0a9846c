"""Hooks and deliveries in the object storage, beside everything else of an app.

Not in a Secret: the api reads none on its own account, and a hook is called when nobody asks.
A delivery is stored before it is made. Its key follows from the event, so that of several replicas
which see the event one alone can store it, and that one delivers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from haikube.model.names import webhooks_prefix
from haikube.storage.port import Changed, MissingObject, Storage

_LIMIT: Final = 1 << 20
_TRIES: Final = 5
_KEPT: Final = 200
"""Deliveries that stay per app."""


@dataclass(frozen=True, slots=True)
class Hook:
    """An address, and what it is told; ``secret`` signs, ``authorization`` is sent as it is."""

    id: str
    url: str
    include: tuple[str, ...]
    level: str
    secret: str = field(repr=False)
    authorization: str = field(repr=False)
    created_at: str


@dataclass(slots=True)
class Delivery:
    """One event on its way to one hook, and how its last attempt went.

    ``seq`` orders them as they were heard: microseconds, since many come within one millisecond.
    """

    id: str
    hook: str
    level: str
    include: str
    payload: dict[str, Any]
    seq: int
    created_at: str
    updated_at: str
    status: str = "pending"
    attempts: int = 0
    next_attempt_at: str | None = None
    last_attempt: dict[str, Any] | None = None


class Kept:
    """What is stored of one app's webhooks."""

    def __init__(self, storage: Storage, uid: str) -> None:
        self._storage = storage
        self._hooks = f"{webhooks_prefix(uid)}hooks/all.json"
        self._deliveries = f"{webhooks_prefix(uid)}deliveries/"

    async def hooks(self) -> list[Hook]:
        """Return all hooks."""
        return (await self._read())[0]

    async def change(self, act: Callable[[list[Hook]], list[Hook]]) -> None:
        """Replace the hooks; done again when another change was first."""
        for _ in range(_TRIES):
            hooks, etag = await self._read()
            data = json.dumps([asdict(each) for each in act(hooks)]).encode()
            try:
                await self._storage.swap(self._hooks, data, etag=etag)
            except Changed:
                continue
            return
        raise Changed("the webhooks of an app are changed all the time")

    async def claim(self, delivery: Delivery) -> str | None:
        """Store a new delivery and return its etag; None when another process has it."""
        try:
            return await self._storage.swap(self._key(delivery.id), _coded(delivery), etag=None)
        except Changed:
            return None

    async def note(self, delivery: Delivery, etag: str) -> str | None:
        """Store how a delivery goes; None when another process has it by now."""
        try:
            return await self._storage.swap(self._key(delivery.id), _coded(delivery), etag=etag)
        except Changed:
            return None

    async def delivery(self, id_: str) -> tuple[Delivery, str] | None:
        """Return one delivery with its etag."""
        try:
            data, etag = await self._storage.read_version(self._key(id_), limit=_LIMIT)
        except MissingObject:
            return None
        return Delivery(**json.loads(data)), etag

    async def deliveries(self) -> list[Delivery]:
        """Return the deliveries that are kept, the oldest first; older ones are removed."""
        stored = [each async for each in self._storage.list(self._deliveries)]
        stored.sort(key=lambda each: each.modified, reverse=True)
        for old in stored[_KEPT:]:
            await self._storage.delete(old.key)
        names = (each.key.removeprefix(self._deliveries) for each in stored[:_KEPT])
        found = [await self.delivery(name.removesuffix(".json")) for name in names]
        return sorted((each[0] for each in found if each), key=lambda each: each.seq)

    async def _read(self) -> tuple[list[Hook], str | None]:
        try:
            data, etag = await self._storage.read_version(self._hooks, limit=_LIMIT)
        except MissingObject:
            return [], None
        hooks = [Hook(**{**each, "include": tuple(each["include"])}) for each in json.loads(data)]
        return hooks, etag

    def _key(self, id_: str) -> str:
        return f"{self._deliveries}{id_}.json"


def _coded(delivery: Delivery) -> bytes:
    return json.dumps(asdict(delivery)).encode()
