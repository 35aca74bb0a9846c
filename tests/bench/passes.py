"""The engine in memory: CPU, passes and writes per App, without a cluster and on a busy machine.

usage: python -m bench.passes [--apps 60] [--runs 5] [--profile FILE]

The fleet of ``bench.scale`` is deployed on the fake API server. Only the operator's own CPU counts:
the time that the fake takes is taken off, that of reading its answers and events is not. So the
figures hold while others use the machine too; HTTP and TLS are the only things that they lack.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.fleet import Fleet, is_ready
from haikube.cluster.fake import FakeCluster
from haikube.cluster.history import Record
from haikube.cluster.port import Json
from haikube.cluster.selectors import matcher
from haikube.engine.clock import SystemClock
from haikube.model.resources import APPS, STACKS, Resource
from haikube.operator import reconcile
from haikube.operator.control import Control
from haikube.operator.metrics import CountedCluster
from haikube.operator.watched import WATCHED
from haikube.plan.whole import plan_world
from haikube.storage.memory import MemoryStorage
from stage import control

_CALLS = frozenset({"get", "list", "create", "apply", "apply_status", "patch", "delete"})
_SHOWN = {each.resource: matcher(each.labels) for each in WATCHED}
_SECONDS = 600.0


@dataclass(frozen=True)
class Seen:
    """What one run took."""

    apps: int
    cpu: float
    rounds: int
    writes: Mapping[str, int]

    def text(self) -> str:
        """Return it for people, per App."""
        kinds = "".join(
            f"  {kind:24} {count / self.apps:6.2f}\n" for kind, count in sorted(self.writes.items())
        )
        return (
            f"{self.apps} Apps: {1000 * self.cpu / self.apps:.2f} ms of CPU, "
            f"{self.rounds / self.apps:.2f} rounds and "
            f"{sum(self.writes.values()) / self.apps:.2f} writes for each\n{kinds}"
        )


class Wire:
    """Carries calls to the fake as JSON, and takes off what the fake itself costs."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self.taken = 0.0
        self.writes: Counter[str] = Counter()
        self.events: asyncio.Queue[tuple[Resource, str]] = asyncio.Queue()
        self.watch = cluster.watch
        self.pod_log = cluster.pod_log
        self.attach = cluster.attach

    def __getattr__(self, name: str) -> Any:
        if name not in _CALLS:
            raise AttributeError(name)
        return self._call(getattr(self._cluster, name))

    def _call(self, found: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **options: Any) -> Any:
            await asyncio.sleep(0)  # as any network would
            with self.elsewhere():
                answer = await found(*args, **options)
                text = json.dumps(answer) if isinstance(answer, dict) else ""
            return json.loads(text) if text else answer

        return call

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Take off what happens in the block."""
        began = time.process_time()
        try:
            yield
        finally:
            self.taken += time.process_time() - began

    def heard(self, record: Record) -> None:
        """Queue the event of a change for whoever watches its kind."""
        event = record.seen_through(_SHOWN[record.resource]) if record.resource in _SHOWN else None
        if event is not None:
            told = json.dumps({"type": event.type, "object": event.object})
            self.events.put_nowait((record.resource, told))

    async def tell(self, operator: Control) -> None:
        """Tell the operator of every change, as its watches do."""
        while True:
            resource, text = await self.events.get()
            told = json.loads(text)
            operator.store.put(resource, told["type"], told["object"])


class _Maker:
    """Makes the fleet, in the place of a bare client."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def create(self, resource: Resource, body: Json, sub: str = "") -> Json:
        if not sub:
            return await self._cluster.create(resource, body)
        metadata = body["metadata"]
        place = (metadata["name"], metadata["namespace"])
        return await self._cluster.patch(
            resource, *place, {"status": body["status"]}, subresource="status"
        )


async def measure(apps: int, profile: cProfile.Profile | None = None) -> Seen:
    """Deploy a fleet once; returns what it took."""
    cluster, maker = FakeCluster(), Fleet("bench", apps)
    stack = {"apiVersion": STACKS.api_version, "kind": STACKS.kind}
    spec = {"runImage": "run:1", "buildImage": "build:1"}
    cluster.seed(STACKS, {**stack, "metadata": {"name": "debian-13"}, "spec": spec})
    client: Any = _Maker(cluster)
    await maker.make(client)
    wire = Wire(cluster)
    counted: Any = CountedCluster(wire, lambda kind, verb: _count(wire, kind, verb))  # type: ignore[arg-type]
    operator = control(counted, MemoryStorage(), SystemClock())
    rounds = _count_rounds()
    for kind in WATCHED:
        operator.store.replace(kind.resource, await counted.list(kind.resource, labels=kind.labels))
    cluster._state.history.add = wire.heard  # type: ignore[method-assign]
    wire.taken, began = 0.0, time.process_time()
    if profile:
        profile.enable()
    operator.lead()
    tasks = [asyncio.create_task(operator.run()), asyncio.create_task(wire.tell(operator))]
    async with asyncio.timeout(_SECONDS):
        await _until_ready(cluster, wire, operator)
    if profile:
        profile.disable()
    cpu = time.process_time() - began - wire.taken
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return Seen(apps, cpu, rounds["plan"], wire.writes)


async def _until_ready(cluster: FakeCluster, wire: Wire, operator: Control) -> None:
    quiet = 0
    while quiet < 3:
        await asyncio.sleep(0.05)
        with wire.elsewhere():
            quiet = quiet + 1 if operator.queue.idle else 0
    with wire.elsewhere():
        apps = list(cluster._state.of(APPS).values())
        lacking = [each["metadata"]["name"] for each in apps if not is_ready(each)]
    assert not lacking, f"{len(lacking)} Apps are not Ready, {lacking[0]} is one of them"


def _count(wire: Wire, resource: Resource, verb: str) -> None:
    wire.writes[f"{resource.kind}{' status' * (verb == 'apply_status')}"] += 1


def _count_rounds() -> Counter[str]:
    found: Counter[str] = Counter()

    def counted(*args: Any) -> Any:
        found["plan"] += 1
        return plan_world(*args)

    reconcile.plan_world = counted
    return found


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="bench.passes", description=__doc__)
    parser.add_argument("--apps", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5, help="the best of these counts")
    parser.add_argument("--profile", default="")
    wish = parser.parse_args()
    profile = cProfile.Profile(time.process_time) if wish.profile else None
    runs = [asyncio.run(measure(wish.apps, profile)) for _ in range(wish.runs)]
    sys.stdout.write(min(runs, key=lambda each: each.cpu).text())
    if profile:
        profile.dump_stats(wish.profile)
    return 0


if __name__ == "__main__":
    sys.exit(main())
