"""Make what is not there yet, and leave what is there as it is.

An object that exists under the name means success if it is ours; it gets back the labels that it
has lost, and with ``renew`` what else was wished for. What an object is to hold of others (copied
values, signed URLs, the version of another object) is looked up here, and no plan knows it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from haikube.cluster.errors import AlreadyExists, ApiError, Unreachable
from haikube.cluster.port import Json
from haikube.engine.guard import refuse_foreign
from haikube.engine.live import Live, Target
from haikube.engine.outcome import Foreign, Stale
from haikube.model.intents import Copy, Create, Place, Presign
from haikube.model.meta import Meta
from haikube.model.resources import Resource

Object = Mapping[str, Any]
Presigner = Callable[[Presign], Awaitable[str]]


class Creator:
    """Carries out ``Create``."""

    def __init__(self, live: Live, presign: Presigner) -> None:
        self._live = live
        self._presign = presign

    async def create(self, write: Create) -> int:
        """Make one object, and what it owns; returns how many calls changed something."""
        target = Target.of(write.resource, write.body)
        live = self._live.known(target)
        if live is None:
            signed = await self._signed(write)
            try:
                made = await self._live.create(target, signed)
            except AlreadyExists:
                live = await self._existing(target)
            else:
                return 1 + await self._create_owned(write, made)
            if self._live.known(target) is not None:
                return 1  # it came while we wrote: who decided did not know it
        refuse_foreign(write.resource, write.body, live, ours=False)
        renewed = self._renew if write.renew else self._relabel
        return await renewed(write, target, live)

    async def _create_owned(self, write: Create, owner: Object) -> int:
        """Make what a new object owns; what is refused is for the plan of the object itself."""
        try:
            return sum([await self.create(_owned(each, owner)) for each in write.owned])
        except Unreachable:
            raise
        except (ApiError, Stale, Foreign):
            return 0

    async def _existing(self, target: Target) -> Object:
        seen = await self._live.find(target)
        if seen is None:  # deleted between our two calls
            raise Stale(target.resource, target.namespace, target.name)
        return seen.obj

    async def _relabel(self, write: Create, target: Target, live: Object) -> int:
        """Put labels back that the object has lost: without them no watch tells of it."""
        wanted = write.body["metadata"].get("labels", {})
        if wanted.items() <= live["metadata"].get("labels", {}).items():
            return 0
        metadata = {"uid": live["metadata"]["uid"], "labels": dict(wanted)}
        await self._live.patch(target, {"metadata": metadata})
        return 1

    async def _renew(self, write: Create, target: Target, live: Object) -> int:
        made = write.body["metadata"]
        metadata = {
            "uid": live["metadata"]["uid"],
            "labels": dict(made.get("labels", {})),
            "annotations": dict(made.get("annotations", {})),
        }
        data = (await self._signed(write)).get("stringData", {})
        await self._live.patch(target, {"metadata": metadata, "stringData": data})
        return 1

    async def _signed(self, write: Create) -> Json:
        body = self._noted(write)
        if write.copied is not None:
            return {**body, "data": await self._copied(write.resource, write.copied)}
        if not write.presigned:
            return body
        urls = {key: await self._presign(wish) for key, wish in write.presigned.items()}
        return {**body, "stringData": {**body.get("stringData", {}), **urls}}

    def _noted(self, write: Create) -> Json:
        """Return the body with the versions that its annotations are to say."""
        if not write.noted:
            return dict(write.body)
        metadata = write.body["metadata"]
        versions = {key: self._version(of) for key, of in write.noted.items()}
        annotations = {**metadata.get("annotations", {}), **versions}
        return {**write.body, "metadata": {**metadata, "annotations": annotations}}

    def _version(self, of: Place) -> str:
        found = self._live.known(Target(of.resource, of.namespace, of.name))
        if found is None:
            raise Stale(of.resource, of.namespace, of.name)
        return str(found["metadata"]["resourceVersion"])

    async def _copied(self, resource: Resource, wanted: Copy) -> Json:
        if not wanted.keys:
            return {}
        source = wanted.source
        target = Target(resource, source.namespace, source.name)
        found = await self._live.read(target)
        if found is None or not _is_version(found, source):
            raise Stale(resource, source.namespace, source.name)
        data = found.get("data") or {}
        return {key: data[key] for key in wanted.keys}


def _owned(write: Create, owner: Object) -> Create:
    """Return a write with the uid of the one owner that its object has."""
    metadata = write.body["metadata"]
    (reference,) = metadata["ownerReferences"]
    owners = [{**reference, "uid": owner["metadata"]["uid"]}]
    return replace(write, body={**write.body, "metadata": {**metadata, "ownerReferences": owners}})


def _is_version(obj: Object, meta: Meta) -> bool:
    metadata = obj["metadata"]
    return bool((metadata["uid"], metadata["resourceVersion"]) == (meta.uid, meta.resource_version))
