"""Given objects, the plan: one row of a table test, with the checks that hold for every row.

Objects go through the operator's own store and observer, so a row also covers what is indexed,
pruned and gathered. Every plan is checked for sane conditions, and that nothing given was changed.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from conditions_check import assert_conditions_sane
from haikube.cluster.fake import FakeCluster
from haikube.engine.clock import Clock, FakeClock
from haikube.model.intents import Annotate, Apply, Create, Delete, Merge, Plan, Write
from haikube.model.resources import BY_KIND, STACKS
from haikube.operator.control import Control
from haikube.operator.routes import app_key
from haikube.operator.watched import new_store
from haikube.operator.world import Worlds
from haikube.plan.context import Context
from haikube.plan.stack import plan_stack
from haikube.plan.whole import plan_world
from haikube.render.renderer import Renderer
from haikube.settings import Settings
from haikube.storage.memory import MemoryStorage

NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)
RENDER = Renderer()

Raw = Mapping[str, Any]


def settings(**changes: Any) -> Settings:
    """Return settings as a local install has them, but for ``changes``."""
    return Settings(**{"public_port": 8080, "gateway_namespace": "haikube-gateway", **changes})


@dataclass(frozen=True)
class Row:
    """A plan and the object it is for."""

    plan: Plan
    obj: Raw

    @property
    def writes(self) -> list[str]:
        """Return what is written, in words, in order."""
        return [_words(each) for each in self.plan.writes]

    @property
    def status(self) -> Raw:
        assert self.plan.status is not None
        return self.plan.status

    def condition(self, kind: str = "Ready") -> tuple[str, str]:
        """Return status and reason of a condition."""
        found = next(each for each in self.status["conditions"] if each["type"] == kind)
        return found["status"], found["reason"]

    def message(self, kind: str = "Ready") -> str:
        found = next(each for each in self.status["conditions"] if each["type"] == kind)
        return str(found["message"])

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.status["conditions"]]

    def body(self, words: str) -> Any:
        """Return the body of the one write that is called so."""
        found = [each for each in self.plan.writes if _words(each) == words]
        assert len(found) == 1, self.writes
        assert isinstance(found[0], Apply | Create)
        return found[0].body

    def write(self, words: str) -> Any:
        return next(each for each in self.plan.writes if _words(each) == words)


def _words(write: Write) -> str:
    match write:
        case Apply() | Create():
            verb = type(write).__name__.lower()
            return f"{verb} {write.resource.kind} {write.body['metadata']['name']}"
        case Annotate():
            return f"annotate {write.name} {' '.join(write.annotations.values())}"
        case Merge():
            return f"merge {write.resource.kind} {write.name}"
        case Delete():
            return f"delete {write.resource.kind} {write.name}"


async def plan(
    obj: Raw,
    *others: Raw,
    now: datetime = NOW,
    storage: MemoryStorage | None = None,
    cluster: FakeCluster | None = None,
    storage_full: str = "",
    **changes: Any,
) -> Row:
    """Return the plan for ``obj`` when it and ``others`` are all there is."""
    chosen = settings(**changes)
    given = copy.deepcopy([obj, *others])
    store = new_store(chosen)
    for each in given:
        store.put(BY_KIND[each["kind"]], None, each)
    clock = FakeClock(now)
    known = cluster or FakeCluster()
    worlds = Worlds(store, known, storage or MemoryStorage(), chosen, clock)
    context = Context(
        chosen, RENDER, now, storage_full=storage_full, lends_users=worlds.lend_users()
    )
    made = await _plan_of(obj, worlds, context)
    assert given == [obj, *others], "a plan changed what it was given"
    if made.status is not None:
        assert_conditions_sane({**obj, "status": made.status})
    return Row(made, obj)


async def _plan_of(obj: Raw, worlds: Worlds, context: Context) -> Plan:
    """Return what one object is to get out of the plan of its whole world."""
    if obj["kind"] == STACKS.kind:
        return plan_stack(worlds.stack(obj["metadata"]["name"]), context)
    key = app_key(BY_KIND[obj["kind"]], obj)
    assert key is not None
    parts = plan_world(await worlds.app(key.namespace, key.name, {}), context).conclude()
    found = [each.plan for each in parts if each.meta.uid == obj["metadata"]["uid"]]
    return found[0] if found else Plan()


def control(cluster: Any, storage: Any, clock: Clock, **changes: Any) -> Control:
    """Return the reconciling half of the operator."""
    return Control(cluster, storage, RENDER, settings(**changes), clock)
