"""The frame around every reconcile: observe, plan, commit, and what a refusal looks like.

A refusal that somebody can do something about becomes a condition at once; it is raised all the
same, so that the queue backs off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from haikube.cluster.errors import ApiError, Forbidden, Invalid, Unreachable
from haikube.engine.clock import Clock
from haikube.engine.commit import Committer
from haikube.engine.outcome import Contested, Foreign
from haikube.engine.store import Store
from haikube.engine.worker import Key
from haikube.model import conditions
from haikube.model.conditions import Verdict, progressing, stalled
from haikube.model.intents import Plan
from haikube.model.resources import (
    APPS,
    BUILDS,
    BY_KIND,
    DYNOS,
    FORMATIONS,
    RELEASES,
    STACKS,
    Resource,
)
from haikube.operator.observe import Observer
from haikube.plan.app import plan_app
from haikube.plan.build import plan_build
from haikube.plan.context import Context, Render
from haikube.plan.dyno import plan_dyno
from haikube.plan.formation import plan_formation
from haikube.plan.release import plan_release
from haikube.plan.stack import plan_stack
from haikube.settings import Settings
from haikube.storage.port import StorageError

Object = Mapping[str, Any]
_Pass = Callable[[Object, Context], Awaitable[Plan]]

_TO_AN_END = frozenset({BUILDS.kind, RELEASES.kind, DYNOS.kind})
_SUMMARY = frozenset(
    {conditions.SUCCEEDED, conditions.READY, conditions.RECONCILING, conditions.STALLED}
)
_TERMINATING = "being terminated"


class Reconciler:
    """Brings one object to what it should be; called by the engine's workers."""

    def __init__(
        self,
        store: Store,
        observer: Observer,
        committer: Committer,
        *,
        render: Render,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._committer = committer
        self._render = render
        self._settings = settings
        self._clock = clock
        self._passes = passes(observer)

    async def __call__(self, key: Key) -> float | None:
        """Look at one object; returns the seconds until it should be looked at again."""
        resource = BY_KIND[key.kind]
        obj = self._store.get(resource, key.namespace, key.name)
        if obj is None:
            return None
        context = Context(self._settings, self._render, self._clock.now())
        plan = await self._passes[key.kind](obj, context)
        try:
            done = await self._committer.commit(plan, resource, obj)
        except (Contested, Foreign, Forbidden, Invalid, StorageError) as error:
            await self._confess(resource, obj, _verdict(error))
            if isinstance(error, StorageError):
                raise Unreachable(0, "StorageUnavailable", str(error)) from error
            raise
        return done.requeue_after

    async def _confess(self, resource: Resource, obj: Object, verdict: Verdict | None) -> None:
        """Write the refusal into the status, as far as that is possible."""
        if verdict is None:
            return
        status = obj.get("status") or {}
        ends = resource.kind in _TO_AN_END
        told = conditions.completion(verdict) if ends else conditions.trio(verdict)
        generation = obj["metadata"].get("generation", 0)
        before = status.get("conditions", ())
        kept = [each for each in before if each["type"] not in _SUMMARY]
        stamped = conditions.stamp(before, told, generation, self._clock.now())
        await self._committer.commit_status(
            resource,
            obj,
            {**status, "observedGeneration": generation, "conditions": [*stamped, *kept]},
        )


def _verdict(error: Exception) -> Verdict | None:
    if isinstance(error, Contested):
        return stalled("Contested", str(error))
    if isinstance(error, Foreign):
        return stalled("NameTaken", str(error))
    if isinstance(error, StorageError):
        return progressing("StorageUnavailable", f"the object storage does not answer: {error}")
    if not isinstance(error, ApiError) or _TERMINATING in error.message:
        return None
    reason = "QuotaExceeded" if "quota" in error.message else "WriteRefused"
    return stalled(reason, f"the cluster refuses what this needs: {error.message}")


def passes(observer: Observer) -> Mapping[str, _Pass]:
    """Return how each kind is observed and planned."""

    async def app(obj: Object, context: Context) -> Plan:
        return plan_app(await observer.app(obj), context)

    async def build(obj: Object, context: Context) -> Plan:
        return plan_build(await observer.build(obj), context)

    async def release(obj: Object, context: Context) -> Plan:
        return plan_release(await observer.release(obj), context)

    async def formation(obj: Object, context: Context) -> Plan:
        return plan_formation(await observer.formation(obj), context)

    async def dyno(obj: Object, context: Context) -> Plan:
        return plan_dyno(await observer.dyno(obj), context)

    async def stack(obj: Object, context: Context) -> Plan:
        return plan_stack(await observer.stack(obj), context)

    return {
        APPS.kind: app,
        BUILDS.kind: build,
        RELEASES.kind: release,
        FORMATIONS.kind: formation,
        DYNOS.kind: dyno,
        STACKS.kind: stack,
    }
