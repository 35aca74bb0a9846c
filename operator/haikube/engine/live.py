"""The cluster as one pass works on it: every answer goes into the store at once.

So the next pass sees what this one wrote, before any watch event tells of it; an event that is
faster than the answer is no news either. A refusal that means "this is not the object you saw"
brings the store up to date and raises ``Stale``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from haikube.cluster.errors import AlreadyExists, ApiError, Conflict, Invalid, NotFound
from haikube.cluster.port import Cluster, Json
from haikube.engine.change import Expected, anything, only_status
from haikube.engine.outcome import Stale
from haikube.engine.ownership import owned_fields
from haikube.engine.store import Store
from haikube.model.resources import Resource

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """One place in the cluster: a kind and a name."""

    resource: Resource
    namespace: str
    name: str

    @classmethod
    def of(cls, resource: Resource, obj: Object) -> Target:
        """Return the place of an object."""
        return cls(resource, obj["metadata"].get("namespace") or "", obj["metadata"]["name"])


@dataclass(frozen=True, slots=True)
class Seen:
    """A live object and the fields of it that our manager owns (see ``ownership``)."""

    obj: Object
    owned: str


class Live:
    """Reads and writes single objects, and keeps the store in step."""

    def __init__(self, cluster: Cluster, store: Store, manager: str) -> None:
        self._cluster = cluster
        self._store = store
        self._manager = manager

    def known(self, target: Target) -> Object | None:
        """Return the object as the store has it."""
        return self._store.get(target.resource, target.namespace, target.name)

    async def find(self, target: Target) -> Seen | None:
        """Return the object, asking the server only if the store does not know it.

        What the server shows is not kept: it may be somebody else's, and then nobody watches it.
        """
        obj = self.known(target)
        if obj is not None:
            owned = self._store.owned(target.resource, target.namespace, target.name)
            return Seen(obj, owned)
        try:
            found = await self._cluster.get(target.resource, target.name, target.namespace or None)
        except NotFound:
            return None
        return Seen(found, owned_fields(found, self._manager))

    async def apply(self, target: Target, body: Object) -> Seen:
        """Server-side apply by force; ``metadata.uid`` in the body guards the object."""
        answer = await self._guarded(
            target, self._cluster.apply(target.resource, body, manager=self._manager)
        )
        return Seen(answer, owned_fields(answer, self._manager))

    async def apply_status(self, target: Target, body: Object) -> None:
        """Server-side apply of the status."""
        await self._guarded(
            target,
            self._cluster.apply_status(target.resource, body, manager=self._manager),
            expected=only_status,
        )

    async def create(self, target: Target, body: Object) -> Object:
        """Create an object and return it; raises ``AlreadyExists``."""
        with self._awaiting(target):
            answer = await self._cluster.create(target.resource, body)
        self._store.put(target.resource, None, answer, expected=anything)
        return answer

    async def patch(self, target: Target, body: Object) -> None:
        """Merge-patch an object; ``metadata.uid`` in the body guards it."""
        namespace = target.namespace or None
        await self._guarded(
            target, self._cluster.patch(target.resource, target.name, namespace, body)
        )

    async def delete(self, target: Target, *, uid: str, resource_version: str) -> bool:
        """Delete an object if it still is the one that was seen; False if it was gone already."""
        call = self._cluster.delete(
            target.resource,
            target.name,
            target.namespace or None,
            uid=uid,
            resource_version=resource_version,
        )
        try:
            with self._awaiting(target):
                await call
            deleted = True
        except NotFound:
            deleted = False
        except Conflict as error:
            await self._look_again(target)
            raise _stale(target) from error
        self._store.forget(target.resource, target.namespace, target.name, uid)
        return deleted

    async def read(self, target: Target) -> Object | None:
        """Return the object as the server has it now, whole; the store learns of it."""
        try:
            found = await self._cluster.get(target.resource, target.name, target.namespace or None)
        except NotFound:
            return None
        self._store.put(target.resource, None, found)
        return found

    def _awaiting(
        self, target: Target, expected: Expected = anything
    ) -> AbstractContextManager[None]:
        return self._store.awaiting(target.resource, target.namespace, target.name, expected)

    async def _guarded(
        self, target: Target, call: Awaitable[Json], expected: Expected = anything
    ) -> Json:
        try:
            with self._awaiting(target, expected):
                answer = await call
        except ApiError as error:
            if not _is_about_another_object(error):
                raise
            await self._look_again(target)
            raise _stale(target) from error
        self._store.put(target.resource, None, answer, expected=expected)
        return answer

    async def _look_again(self, target: Target) -> None:
        known = self.known(target)
        if known is None:
            return
        self._store.forget(target.resource, target.namespace, target.name, known["metadata"]["uid"])
        try:
            found = await self._cluster.get(target.resource, target.name, target.namespace or None)
        except NotFound:
            return
        self._store.put(target.resource, None, found)


def _stale(target: Target) -> Stale:
    return Stale(target.resource, target.namespace, target.name)


def _is_about_another_object(error: ApiError) -> bool:
    if isinstance(error, Invalid):
        return "metadata.uid" in error.message
    return isinstance(error, NotFound | Conflict) and not isinstance(error, AlreadyExists)
