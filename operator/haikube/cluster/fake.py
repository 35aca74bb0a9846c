"""The Kubernetes port in memory: a small API server for tests, held to ``tests/contract``.

It knows resource versions, uids, generations, the status subresource, server-side apply with
field ownership, preconditions, garbage collection by owner, selectors and watches. It knows no
schemas, quotas or controllers: a Deployment here never makes a pod.

``writes`` lists every write; ``fault`` is called before each call and may raise an ``ApiError``;
``defaults`` and ``checks`` stand in for a kind's schema and CEL rules.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from haikube.cluster.apply import Manager, apply, merge_patch, update
from haikube.cluster.errors import AlreadyExists, Conflict, Invalid, NotFound
from haikube.cluster.objects import Name, Objects, identity
from haikube.cluster.port import Channel, Json, Listing, Propagation, Stream, WatchEvent
from haikube.cluster.selectors import matcher
from haikube.model.resources import PODS, Resource

Body = Mapping[str, Any]

UPDATER = "fake"
"""Field manager of creates and patches."""


class Call(NamedTuple):
    """One call, as ``writes`` and ``fault`` see it."""

    verb: str
    resource: Resource
    namespace: str
    name: str


class FakeCluster:
    """See the module. Answers are copies: a caller may change them."""

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime(2026, 1, 1, tzinfo=UTC)
    ) -> None:
        self.writes: list[Call] = []
        self.fault: Callable[[Call], None] | None = None
        self.logs: dict[Name, list[bytes]] = {}
        self.channels: Callable[[Stream], Channel] | None = None
        self._state = Objects(now)
        self.defaults = self._state.defaults
        self.checks = self._state.checks

    # Reading

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Json:
        """Return one object."""
        self._call("get", resource, namespace, name)
        return copy.deepcopy(self._state.existing(resource, *_place(resource, namespace, name)))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> Listing:
        """Return all objects."""
        self._call("list", resource, namespace, "")
        test = matcher(labels, fields)
        items = [
            copy.deepcopy(_metadata(obj) if metadata_only else obj)
            for (ns, _), obj in sorted(self._state.of(resource).items())
            if namespace in {None, ns} and test(obj)
        ]
        return Listing(tuple(items), str(self._state.version))

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        """Yield changes; without a version, first everything there is."""
        self._call("watch", resource, namespace, "")
        selected = matcher(labels, fields)

        def test(obj: Body) -> bool:
            return namespace in {None, obj["metadata"].get("namespace")} and selected(obj)

        version = int(resource_version or 0)
        present = [] if version else [obj for obj in self._state.of(resource).values() if test(obj)]
        changes = self._state.history.follow(resource, test, version or self._state.version)
        for obj in present:
            yield WatchEvent("ADDED", copy.deepcopy(obj))
        async for event in changes:
            yield WatchEvent(event.type, copy.deepcopy(event.object))

    async def pod_log(
        self,
        name: str,
        namespace: str,
        **how: Any,  # noqa: ANN401 - what a kubelet does with these is not played here
    ) -> AsyncGenerator[bytes, None]:
        """Yield what ``logs`` holds for the pod, whatever part of it is asked for."""
        del how
        if (namespace, name) not in self.logs:
            raise NotFound(404, "NotFound", f'pods "{name}" not found')
        for chunk in self.logs[namespace, name]:
            yield chunk

    @asynccontextmanager
    async def attach(self, stream: Stream) -> AsyncGenerator[Channel, None]:
        """Join what ``channels`` makes for these streams."""
        self._call("create", PODS, stream.namespace, stream.pod)
        if self.channels is None:
            raise NotFound(404, "NotFound", f'pods "{stream.pod}" not found')
        yield self.channels(stream)

    # Writing

    async def create(self, resource: Resource, body: Body) -> Json:
        """Create an object."""
        wanted = copy.deepcopy(dict(body))
        metadata = wanted["metadata"]
        if "name" not in metadata:
            metadata["name"] = f"{metadata.get('generateName', '')}{self._state.next_serial():05x}"
        place = _place(resource, metadata.get("namespace"), metadata["name"])
        self._call("create", resource, *place, write=True)
        if place in self._state.of(resource):
            raise AlreadyExists(
                409, "AlreadyExists", f'{resource.plural} "{place[1]}" already exists'
            )
        wanted.pop("status", None)
        written = update({}, {}, Manager(UPDATER, "Update"), wanted)
        return self._state.save(resource, None, written)

    async def apply(
        self, resource: Resource, body: Body, *, manager: str, force: bool = True
    ) -> Json:
        """Server-side apply."""
        metadata = body["metadata"]
        place = _place(resource, metadata.get("namespace"), metadata["name"])
        self._call("apply", resource, *place, write=True)
        live = self._state.of(resource).get(place)
        if live is None:
            if metadata.get("uid"):
                raise Conflict(409, "Conflict", f"uid mismatch: there is no {place[1]}")
        else:
            _refuse_other_uid(live, metadata)
        start = live or identity(resource, *place)
        who = Manager(manager, "Apply")
        written = apply(start, self._state.owners(start), who, dict(body), force=force)
        return self._state.save(resource, live, written)

    async def apply_status(self, resource: Resource, body: Body, *, manager: str) -> Json:
        """Server-side apply the status."""
        metadata = body["metadata"]
        place = _place(resource, metadata.get("namespace"), metadata["name"])
        self._call("apply_status", resource, *place, write=True)
        live = self._state.existing(resource, *place)
        _refuse_other_uid(live, metadata)
        who = Manager(manager, "Apply", status=True)
        written = apply(live, self._state.owners(live), who, dict(body), force=True)
        return self._state.save(resource, live, written)

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        body: Body,
        *,
        subresource: str = "",
    ) -> Json:
        """Merge-patch an object or, with ``subresource="status"``, its status."""
        self._call("patch", resource, namespace, name, write=True)
        live = self._state.existing(resource, *_place(resource, namespace, name))
        metadata = body.get("metadata", {})
        _refuse_other_uid(live, metadata)
        if (
            metadata.get("resourceVersion", live["metadata"]["resourceVersion"])
            != (live["metadata"]["resourceVersion"])
        ):
            raise Conflict(409, "Conflict", "the object has been modified; get it again")
        in_status = subresource == "status"
        wanted = merge_patch(
            live, {key: body[key] for key in body if (key == "status") == in_status}
        )
        who = Manager(UPDATER, "Update", status=in_status)
        return self._state.save(resource, live, update(live, self._state.owners(live), who, wanted))

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: Propagation = "Background",
    ) -> None:
        """Delete an object and, unless told to orphan them, what it owns."""
        self._call("delete", resource, namespace, name, write=True)
        live = self._state.existing(resource, *_place(resource, namespace, name))
        metadata = live["metadata"]
        for wish, found in (
            (uid, metadata["uid"]),
            (resource_version, metadata["resourceVersion"]),
        ):
            if wish and wish != found:
                raise Conflict(409, "Conflict", f"Precondition failed: {wish} is now {found}")
        self._state.delete(resource, live, cascade=propagation != "Orphan")

    # Test controls

    def seed(self, resource: Resource, obj: Body) -> Json:
        """Put an object in as it is, status and owners' names included, as no client could."""
        wanted = copy.deepcopy(dict(obj))
        place = _place(resource, wanted["metadata"].get("namespace"), wanted["metadata"]["name"])
        live = self._state.of(resource).get(place)
        start = live or identity(resource, *place)
        owners = self._state.owners(start)
        written = update(start, owners, Manager(UPDATER, "Update"), wanted)
        return self._state.save(resource, live, written)

    def compact(self) -> None:
        """Make every version so far too old to watch from."""
        self._state.history.compact()

    def cut_watches(self) -> None:
        """End every running watch."""
        self._state.history.cut()

    # Inside

    def _call(
        self,
        verb: str,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        write: bool = False,
    ) -> None:
        call = Call(verb, resource, namespace or "", name)
        if self.fault is not None:
            self.fault(call)
        if write:
            self.writes.append(call)


def _place(resource: Resource, namespace: str | None, name: str) -> Name:
    return (namespace or "default" if resource.namespaced else ""), name


def _refuse_other_uid(live: Json, metadata: Body) -> None:
    if metadata.get("uid", live["metadata"]["uid"]) != live["metadata"]["uid"]:
        raise Invalid(
            422, "Invalid", f'metadata.uid: Invalid value: "{metadata["uid"]}": field is immutable'
        )


def _metadata(obj: Json) -> Json:
    return {key: obj[key] for key in ("apiVersion", "kind", "metadata")}
