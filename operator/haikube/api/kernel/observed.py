"""What there is in the cluster, kept up to date by watches: the api reads from here.

One copy per process, by the api's own identity. It decides nothing about who may see what: that is
``rights``. A write's answer is put in at once, so that the next read of this process sees it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog

from haikube.cluster.errors import ApiError, Expired
from haikube.cluster.port import Cluster, Json
from haikube.model import labels
from haikube.model.resources import Resource

Place = tuple[str, str]
"""Namespace, empty for cluster-wide kinds, and name."""

_T = TypeVar("_T")
_RETRY_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is watched: a kind, and which objects of it."""

    resource: Resource
    labels: str = ""


class Observed:
    """The objects of ``kinds``; answers are the stored objects themselves: never change them."""

    def __init__(self, own: Cluster, kinds: Sequence[Kind]) -> None:
        self._own = own
        self._kinds = kinds
        self._objects: dict[Resource, dict[Place, Json]] = {kind.resource: {} for kind in kinds}
        self._of_app: defaultdict[tuple[Resource, Place], dict[Place, Json]] = defaultdict(dict)
        self._by_uid: dict[str, Json] = {}
        self._listed = {kind.resource: asyncio.Event() for kind in kinds}
        self._turn = asyncio.Event()
        self.listener: Callable[[Resource, Json | None, Json | None], None] | None = None
        """Is told of each change: the kind, the object as it was, the object as it is."""

    @asynccontextmanager
    async def running(self, seconds: float) -> AsyncIterator[None]:
        """Watch while the block runs; it begins when all was read once, or after ``seconds``."""
        tasks = [asyncio.create_task(self._follow(kind)) for kind in self._kinds]
        try:
            events = [asyncio.create_task(event.wait()) for event in self._listed.values()]
            await asyncio.wait(events, timeout=seconds)
            yield
        finally:
            for task in (*tasks, *events):
                task.cancel()
            await asyncio.wait([*tasks, *events])

    @property
    def complete(self) -> bool:
        """Tell whether every kind was read at least once."""
        return all(event.is_set() for event in self._listed.values())

    def all(self, resource: Resource, namespace: str | None = None) -> list[Json]:
        """Return the objects of a kind, of one namespace or of all."""
        objects = self._objects[resource]
        if namespace is None:
            return list(objects.values())
        return [obj for (space, _), obj in objects.items() if space == namespace]

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Return one object."""
        return self._objects[resource].get((namespace, name))

    def by_uid(self, resource: Resource, uid: str) -> Json | None:
        """Return the object of a kind that has this uid."""
        found = self._by_uid.get(uid)
        return found if found is not None and found["kind"] == resource.kind else None

    def of_app(self, resource: Resource, app: Json) -> list[Json]:
        """Return what belongs to an app; nothing of an app of that name that is gone."""
        meta = app["metadata"]
        found = self._of_app.get((resource, (meta["namespace"], meta["name"])), {})
        return [obj for obj in found.values() if _is_of(obj, meta["uid"])]

    def put(self, resource: Resource, obj: Json) -> None:
        """Take in the answer to a write, unless something newer is known."""
        if resource not in self._objects:
            return
        obj = {**obj, "apiVersion": resource.api_version, "kind": resource.kind}
        old = self._objects[resource].get(_place(obj))
        if old is None or _version(old) < _version(obj):
            self._store(resource, obj)

    def drop(self, resource: Resource, obj: Json) -> None:
        """Forget an object that was deleted."""
        old = self._objects.get(resource, {}).pop(_place(obj), None)
        if old is not None:
            self._unlink(resource, old)
            self._wake(resource, old, None)

    async def until(self, check: Callable[[], _T | None], seconds: float) -> _T | None:
        """Return what ``check`` finds, asked after each change; None after ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                while (found := check()) is None:
                    await self._turn.wait()
                return found
        except TimeoutError:
            return None

    async def _follow(self, kind: Kind) -> None:
        version = ""
        while True:
            try:
                version = version or await self._read(kind)
                version = await self._watch(kind, version)
            except Expired:
                version = ""
            except ApiError as error:
                _log.warning("cannot watch", kind=kind.resource.kind, error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)

    async def _read(self, kind: Kind) -> str:
        listing = await self._own.list(kind.resource, labels=kind.labels)
        present = {_place(obj) for obj in listing.items}
        for obj in self.all(kind.resource):
            if _place(obj) not in present:
                self.drop(kind.resource, obj)
        for obj in listing.items:
            self._store(kind.resource, obj)
        self._listed[kind.resource].set()
        return listing.resource_version

    async def _watch(self, kind: Kind, version: str) -> str:
        events = self._own.watch(kind.resource, labels=kind.labels, resource_version=version)
        async for event in events:
            version = event.object["metadata"]["resourceVersion"]
            if event.type == "DELETED":
                self.drop(kind.resource, event.object)
            else:
                self.put(kind.resource, event.object)
        return version

    def _store(self, resource: Resource, obj: Json) -> None:
        obj["metadata"].pop("managedFields", None)
        place = _place(obj)
        old = self._objects[resource].get(place)
        if old is not None:
            self._unlink(resource, old)
        self._objects[resource][place] = obj
        self._by_uid[obj["metadata"].get("uid", "")] = obj
        if app := _app_of(obj):
            self._of_app[resource, (place[0], app)][place] = obj
        self._wake(resource, old, obj)

    def _unlink(self, resource: Resource, old: Json) -> None:
        self._by_uid.pop(old["metadata"].get("uid", ""), None)
        place, app = _place(old), _app_of(old)
        siblings = self._of_app.get((resource, (place[0], app)))
        if siblings is not None:
            siblings.pop(place, None)
            if not siblings:
                del self._of_app[resource, (place[0], app)]

    def _wake(self, resource: Resource, old: Json | None, new: Json | None) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()
        if self.listener is not None and self._listed[resource].is_set():
            self.listener(resource, old, new)


def _place(obj: Mapping[str, Any]) -> Place:
    meta = obj["metadata"]
    return meta.get("namespace") or "", meta["name"]


def _version(obj: Mapping[str, Any]) -> int:
    return int(obj["metadata"].get("resourceVersion") or 0)


def _app_of(obj: Mapping[str, Any]) -> str:
    reference = (obj.get("spec") or {}).get("appRef") or {}
    return str(reference.get("name") or (obj["metadata"].get("labels") or {}).get(labels.APP) or "")


def _is_of(obj: Mapping[str, Any], uid: str) -> bool:
    meta = obj["metadata"]
    owners: Iterable[Mapping[str, Any]] = meta.get("ownerReferences") or ()
    told = (meta.get("labels") or {}).get(labels.APP_UID)
    named = {owner["uid"] for owner in owners if owner.get("kind") == "App"}
    return uid in named or told == uid or not (named or told)
