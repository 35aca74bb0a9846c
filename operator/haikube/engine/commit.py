"""Carry out a plan: the writes in order, then one status, then events. Zero calls if all is so.

An apply is skipped when the live object still is what we applied (see ``ownership``). Whatever
the API server answers goes into the store at once (see ``live``). An object that turns out to be
another one than was seen raises ``Stale``, one that belongs to somebody else ``Foreign``, one
that somebody keeps changing back ``Contested``; every other refusal passes through as
``ApiError``. Apply only kinds that the store is fed with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from haikube.cluster.port import Cluster, Json
from haikube.engine.clock import Clock
from haikube.engine.create import Creator, Presigner
from haikube.engine.guard import refuse_foreign
from haikube.engine.live import Live, Seen, Target
from haikube.engine.mark import Mark, mark_of, parse_mark, with_template, without_template
from haikube.engine.outcome import Committed, Contested, Stale
from haikube.engine.ownership import covers
from haikube.engine.patience import Patience
from haikube.engine.recent import Recent
from haikube.engine.recorder import Recorder
from haikube.engine.status import same_status, without_nulls
from haikube.engine.store import Store
from haikube.model.intents import (
    Annotate,
    Apply,
    Create,
    Delete,
    Event,
    Merge,
    Plan,
    Write,
)
from haikube.model.resources import Resource

Object = Mapping[str, Any]

_REMEMBERED = 200_000


class Committer:
    """Carries out plans; ``digest_annotation`` is where the digest of an apply is kept."""

    def __init__(
        self,
        cluster: Cluster,
        presign: Presigner,
        store: Store,
        manager: str,
        clock: Clock,
        *,
        digest_annotation: str,
    ) -> None:
        self._live = Live(cluster, store, manager)
        self._creator = Creator(self._live, presign)
        self._digest_annotation = digest_annotation
        self._recorder = Recorder(cluster, manager, clock)
        self._patience = Patience(clock)
        self._settled: Recent[str, int] = Recent(_REMEMBERED)

    async def commit(self, plan: Plan, resource: Resource, owner: Object) -> Committed:
        """Make the cluster as the plan for ``owner`` (of kind ``resource``) wants it."""
        writes = await self.write(plan.writes)
        if plan.status is not None:
            writes += await self.commit_status(resource, owner, plan.status)
        await self.tell(resource, owner, plan.events)
        return Committed(writes, plan.requeue_after)

    async def write(self, writes: Iterable[Write]) -> int:
        """Carry out writes in order; returns how many calls changed something."""
        return sum([await self._write(each) for each in writes])

    async def tell(self, resource: Resource, owner: Object, events: Iterable[Event]) -> None:
        """Record events about an object."""
        for event in events:
            await self._recorder.record(resource, owner, event)

    async def commit_status(self, resource: Resource, owner: Object, status: Object) -> int:
        """Write the complete status if it differs; returns the number of writes, 0 or 1."""
        target, uid = Target.of(resource, owner), owner["metadata"]["uid"]
        live = self._live.known(target)
        if live is None or live["metadata"]["uid"] != uid:
            raise Stale(resource, target.namespace, target.name)
        wanted = without_nulls(dict(status))
        if same_status(live.get("status", {}), wanted):
            return 0
        await self._live.apply_status(target, _status_body(target, uid, wanted))
        return 1

    async def _write(self, write: Write) -> int:
        match write:
            case Apply():
                return await self._apply(write)
            case Create():
                return await self._creator.create(write)
            case Annotate():
                marks = {"metadata": {"annotations": dict(write.annotations)}}
                return await self._merge(write, marks)
            case Merge():
                return await self._merge(write, write.body)
            case Delete():
                return await self._delete(write)

    async def _apply(self, write: Apply) -> int:
        target, wanted = Target.of(write.resource, write.body), mark_of(write)
        seen = await self._live.find(target)
        if seen is None:
            return await self._send(target, write.body, wanted, None)
        refuse_foreign(write.resource, write.body, seen.obj, ours=bool(seen.owned))
        applied = parse_mark(self._applied(seen))
        if wanted.template != applied.template and wanted.same_pods(applied):
            return await self._apply_rest(target, write.body, wanted, seen)
        if self._is_settled(seen, wanted, write.body):
            return 0
        self._refuse_to_fight(target, seen, wanted)
        return await self._send(target, write.body, wanted, seen)

    async def _apply_rest(self, target: Target, body: Object, wanted: Mark, seen: Seen) -> int:
        """Apply all but the template, which stays as it is on the server."""
        kept = replace(wanted, template=parse_mark(self._applied(seen)).template)
        if self._is_settled(seen, kept, without_template(body)):
            return 0
        self._refuse_to_fight(target, seen, kept)
        found = await self._live.read(target)
        if found is None:
            raise Stale(target.resource, target.namespace, target.name)
        return await self._send(target, with_template(body, found["spec"]["template"]), kept, seen)

    async def _send(self, target: Target, body: Object, mark: Mark, seen: Seen | None) -> int:
        answer = await self._live.apply(target, self._marked(body, mark, seen))
        self._settled[answer.obj["metadata"]["uid"]] = hash((answer.owned, str(mark)))
        return 1

    def _refuse_to_fight(self, target: Target, seen: Seen, wanted: Mark) -> None:
        """Raise ``Contested`` if what we want is old news and has been undone too often."""
        is_repair = self._applied(seen) == str(wanted)
        if is_repair and not self._patience.allows(seen.obj["metadata"]["uid"]):
            raise Contested(target.resource, target.namespace, target.name)

    def _applied(self, seen: Seen) -> str:
        """Return the mark of what was applied last, as the object tells."""
        annotations = seen.obj["metadata"].get("annotations", {})
        return str(annotations.get(self._digest_annotation) or "")

    def _is_settled(self, seen: Seen, wanted: Mark, body: Object) -> bool:
        uid = seen.obj["metadata"]["uid"]
        if self._applied(seen) != str(wanted):
            return False
        so = hash((seen.owned, str(wanted)))
        if self._settled.get(uid) == so:
            return True
        if not covers(seen.owned, body):
            return False
        self._settled[uid] = so
        return True

    def _marked(self, body: Object, wanted: Mark, seen: Seen | None) -> Json:
        metadata = dict(body["metadata"])
        mark = {self._digest_annotation: str(wanted)}
        metadata["annotations"] = {**metadata.get("annotations", {}), **mark}
        if seen is not None:
            metadata["uid"] = seen.obj["metadata"]["uid"]
        return {**body, "metadata": metadata}

    async def _merge(self, write: Annotate | Merge, body: Object) -> int:
        target = Target(write.resource, write.namespace, write.name)
        seen = await self._live.find(target)
        if seen is None or seen.obj["metadata"]["uid"] != write.uid:
            raise Stale(write.resource, write.namespace, write.name)
        if _holds(seen.obj, body):
            return 0
        metadata = {**body.get("metadata", {}), "uid": write.uid}
        await self._live.patch(target, {**body, "metadata": metadata})
        return 1

    async def _delete(self, write: Delete) -> int:
        target = Target(write.resource, write.namespace, write.name)
        self._settled.pop(write.uid)
        deleted = await self._live.delete(
            target, uid=write.uid, resource_version=write.resource_version
        )
        return int(deleted)


def _holds(live: Any, body: Any) -> bool:  # noqa: ANN401 - any JSON
    """Return whether a merge patch would change nothing."""
    if isinstance(body, Mapping):
        return isinstance(live, Mapping) and all(
            _holds(live.get(key), each) for key, each in body.items()
        )
    return bool(live == body)


def _status_body(target: Target, uid: str, status: Json) -> Json:
    metadata = {"name": target.name, "uid": uid}
    if target.resource.namespaced:
        metadata["namespace"] = target.namespace
    return {
        "apiVersion": target.resource.api_version,
        "kind": target.resource.kind,
        "metadata": metadata,
        "status": status,
    }
