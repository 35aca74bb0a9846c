"""A cluster that lives: the fake API server, scripted controllers and kubelet, and the operator.

The operator here is the real reconciling half. It can be killed right after any of its writes,
before it learns that the write was done, and started anew with empty hands. Watch events are
delivered kind by kind in an order drawn from a seed.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import builders as b
from comparison import comparable
from conditions_check import assert_conditions_sane
from haikube.cluster.errors import ApiError, Unreachable
from haikube.cluster.fake import FakeCluster
from haikube.cluster.port import Json, Listing
from haikube.cluster.selectors import matcher
from haikube.engine.clock import Clock, FakeClock, FakeTimer
from haikube.engine.queue import BURST
from haikube.engine.worker import Worker
from haikube.model.resources import (
    DEPLOYMENTS,
    HTTP_ROUTES,
    JOBS,
    OWN_KINDS,
    PODS,
    RELEASES,
    Resource,
)
from haikube.operator.control import Control
from haikube.operator.metrics import CountedCluster
from haikube.operator.watched import WATCHED
from haikube.storage.memory import MemoryStorage
from stage import control
from wishes import Wishes

ROUNDS = 300
HALF = 0.5
QUIET_ROUNDS = 2


class Killed(BaseException):
    """The operator process is gone."""


Fault = Literal["before", "after", "lost", "held"] | ApiError
"""What happens at one write.

The operator dies before or after it, the answer does not come, or the operator stands still with
the write in its hands, and another one takes over (see ``Simulation.held``).
"""


class _SkewedClock:
    """A clock whose wall clock is off: who measures durations does not notice."""

    def __init__(self, clock: FakeClock, off: timedelta) -> None:
        self._clock, self._off = clock, off
        self.monotonic, self.sleep = clock.monotonic, clock.sleep

    def now(self) -> datetime:
        return self._clock.now() + self._off

    def call_later(self, seconds: float, callback: Callable[[], None]) -> FakeTimer:
        return self._clock.call_later(seconds, callback)


class _Mortal(CountedCluster):
    """A cluster whose client meets the faults of its world, each at one of its writes."""

    def __init__(self, cluster: FakeCluster, world: Simulation) -> None:
        super().__init__(cluster, lambda *_: None)
        self._world = world

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in {"create", "apply", "apply_status", "patch", "delete"}:
            return found
        world = super().__getattribute__("_world")

        async def call(*args: Any, **options: Any) -> Any:
            fault = world.next_fault()
            if fault == "before":
                raise Killed
            if isinstance(fault, ApiError):
                raise fault
            if fault == "held":
                world.held = lambda: found(*args, **options)
                raise Killed
            answer = await found(*args, **options)
            if fault == "after":
                raise Killed
            if fault == "lost":
                raise Unreachable(0, "Unreachable", "the answer was lost")
            return answer

        return call


class Simulation(Wishes):
    """One cluster with one operator in it."""

    def __init__(
        self, *, kill_after: int | None = None, kill_every: int | None = None, seed: int = 0
    ) -> None:
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock.now)
        self.storage = MemoryStorage()
        self.writes = 0
        self.results: dict[str, Json] = {}
        self.uids: set[tuple[str, str, str]] = set()
        self.faults: dict[int, Fault] = {kill_after: "after"} if kill_after else {}
        self.held: Callable[[], Awaitable[Any]] | None = None
        """The write of an operator that stood still and goes on: it lands when this is called."""
        self.hides_deletions = False
        """Whether the watches tell of what comes and changes, and never of what goes."""
        self.outdated: Mapping[Resource, Listing] | None = None
        """What the next operator is shown as the cluster when it starts, instead of the cluster."""
        self.clock_off = timedelta()
        """By how much the wall clock of the next operator differs from the API server's."""
        self._kill_every = kill_every
        self._random = random.Random(seed)  # noqa: S311 - a test's order of events
        self._delivered: dict[Resource, dict[str, str]] = {}
        self.operator: Control | None = None
        self._worker: Worker | None = None

    # The operator

    def next_fault(self) -> Fault | None:
        """Count a write, and return what is to happen at it."""
        self.writes += 1
        if self._kill_every and self.writes % self._kill_every == 0:
            return "after"
        return self.faults.get(self.writes)

    async def start(self) -> None:
        """Start a new operator process with empty hands."""
        cluster: Any = _Mortal(self.cluster, self)
        clock: Clock = _SkewedClock(self.clock, self.clock_off)
        self.operator = control(cluster, self.storage, clock)
        self._delivered = {}
        queue = self.operator.queue
        self._worker = Worker(queue, self.operator.reconcile, clock, lambda *_: None, 300.0)
        if self.outdated is None:
            self._fill(self.operator, await self.picture(cluster))
            self.operator.lead()
        else:
            await self._start_outdated(self.operator)

    async def _start_outdated(self, operator: Control) -> None:
        """Begin to work with a picture of the past, before any event comes."""
        self._fill(operator, self.outdated or {})
        self.outdated = None
        operator.lead()
        await self._work()

    @staticmethod
    def _fill(operator: Control, picture: Mapping[Resource, Listing]) -> None:
        for resource, listing in picture.items():
            operator.store.replace(resource, listing)

    async def picture(self, through: Any = None) -> Mapping[Resource, Listing]:
        """Return everything as a list shows it now, to whom it may be."""
        kinds = {each.resource: each.labels for each in WATCHED}
        cluster = through or self.cluster
        return {each: await cluster.list(each, labels=text) for each, text in kinds.items()}

    async def compare(self) -> None:
        """Let the operator list everything again, as it does from time to time."""
        assert self.operator is not None
        for kind in WATCHED:
            await self.operator.resync.compare(kind)

    async def settle(self) -> None:
        """Let everybody act until nothing happens any more."""
        quiet = 0
        for _ in range(ROUNDS):
            version = self._version()
            await self._operate()
            await self._controllers()
            self._remember()
            quiet = quiet + 1 if self._version() == version else 0
            if quiet > QUIET_ROUNDS:
                self._check_conditions()
                return
            self.clock.advance(6.0 if quiet else 1.0)
        raise AssertionError(f"nothing settles: {self.operator and self.operator.queue.depth}")

    async def _operate(self) -> None:
        try:
            if self.operator is None:
                await self.start()
            await self._deliver()
            await self._work()
        except Killed:
            self.operator = None

    async def _deliver(self) -> None:
        assert self.operator is not None
        kinds = list(WATCHED)
        self._random.shuffle(kinds)
        for kind in kinds:
            items = list(filter(matcher(kind.labels), self._all(kind.resource)))
            seen = {each["metadata"]["uid"]: each["metadata"]["resourceVersion"] for each in items}
            known = {each["metadata"]["uid"] for each in self.operator.store.list(kind.resource)}
            if self._delivered.get(kind.resource) != seen or known != seen.keys():
                self._delivered[kind.resource] = seen
                listing = Listing(tuple(items), str(self._version()))
                self._tell(kind.resource, listing)
            if self._random.random() < HALF:
                await self._work()

    def _tell(self, resource: Resource, listing: Listing) -> None:
        assert self.operator is not None
        if not self.hides_deletions:
            self.operator.store.replace(resource, listing)
            return
        for item in listing.items:
            self.operator.store.put(resource, None, item)

    async def _work(self) -> None:
        assert self.operator is not None
        assert self._worker is not None
        self.clock.advance(BURST)
        for _ in range(ROUNDS):
            if not self.operator.queue.depth:
                return
            await self._worker.once(await self.operator.queue.get())
        raise AssertionError("the queue never empties: some key wakes itself")

    # What the rest of the cluster does

    async def _controllers(self) -> None:
        await self._collect_garbage()
        for job in self._all(JOBS):
            await self._run_job(job)
        for found in self._all(DEPLOYMENTS):
            await self._roll(found)
        for route in self._all(HTTP_ROUTES):
            accepted = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "ok"}
            await self._report(HTTP_ROUTES, route, {"parents": [{"conditions": [accepted]}]})

    async def _collect_garbage(self) -> None:
        """Delete what was made for an owner that is gone: the operator may learn of it later."""
        kinds = [each.resource for each in WATCHED]
        alive = {each["metadata"]["uid"] for kind in kinds for each in self._all(kind)}
        for kind in kinds:
            for obj in self._all(kind):
                metadata = obj["metadata"]
                owners = {ref["uid"] for ref in metadata.get("ownerReferences", ())}
                if kind != PODS and owners and not owners & alive:
                    await self.cluster.delete(kind, metadata["name"], metadata["namespace"])

    async def _report(self, kind: Resource, obj: Json, status: Json) -> None:
        if obj.get("status") == status:
            return
        place = (obj["metadata"]["name"], obj["metadata"]["namespace"])
        await self.cluster.patch(kind, *place, {"status": status}, subresource="status")

    async def _run_job(self, job: Json) -> None:
        if (job.get("status") or {}).get("conditions"):
            return
        pods = self._pods_of(job)
        if not pods:
            self._make_pod(f"{job['metadata']['name']}-x", job, ("batch/v1", "Job"))
            return
        state = pods[0]["status"]["containerStatuses"][0]["state"]
        if "running" not in state and "terminated" not in state:
            await self._report(PODS, pods[0], _container(b.RUNNING))
            return
        code, message = self._result(job["metadata"]["name"])
        await self._report(PODS, pods[0], _container(b.ended(code, message)))
        kind = "Complete" if code == 0 else "Failed"
        condition = {"type": kind, "status": "True", "reason": "PodFailurePolicy"}
        await self._report(JOBS, job, {"conditions": [condition]})

    def _result(self, name: str) -> tuple[int, str]:
        result = self.results.get(name)
        if result is None:
            return 0, ""
        return (0 if result["ok"] else 1), json.dumps(result)

    def _pods_of(self, owner: Json) -> list[Json]:
        uid = owner["metadata"]["uid"]
        return [
            each for each in self._all(PODS) if each["metadata"]["ownerReferences"][0]["uid"] == uid
        ]

    def _make_pod(
        self, name: str, owner: Json, kind: tuple[str, str], marks: Mapping[str, str] | None = None
    ) -> None:
        template = owner["spec"]["template"]["metadata"]
        reference = {
            "apiVersion": kind[0],
            "kind": kind[1],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "controller": True,
        }
        metadata = {
            "name": name,
            "namespace": owner["metadata"]["namespace"],
            "labels": {**template["labels"], **(marks or {})},
            "annotations": dict(template.get("annotations") or {}),
            "ownerReferences": [reference],
        }
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
        self.cluster.seed(PODS, {**body, "status": _container({})})

    async def _roll(self, found: Json) -> None:
        """Move a Deployment one step: surge, get ready, let the old ones go."""
        spec, pods = found["spec"], self._pods_of(found)
        text = json.dumps(spec["template"], sort_keys=True)
        hash_ = hashlib.sha256(text.encode()).hexdigest()[:8]
        new = [each for each in pods if each["metadata"]["labels"]["pod-template-hash"] == hash_]
        old = [each for each in pods if each not in new]
        ready = [each for each in new if each["status"]["containerStatuses"][0]["ready"]]
        for number in range(len(new), spec["replicas"]):
            name = f"{found['metadata']['name']}-{hash_}-{number}"
            self._make_pod(name, found, ("apps/v1", "Deployment"), {"pod-template-hash": hash_})
        for each in new:
            await self._report(PODS, each, _container(b.RUNNING, ready=True))
        gone = [*new[spec["replicas"] :], *(old if len(ready) >= spec["replicas"] else [])]
        for each in gone:
            await self.cluster.delete(
                PODS, each["metadata"]["name"], found["metadata"]["namespace"]
            )
        kept = len(pods) - len(gone)
        status = {
            "observedGeneration": found["metadata"]["generation"],
            "replicas": kept,
            "updatedReplicas": min(len(new), spec["replicas"]),
            "readyReplicas": min(len(ready), spec["replicas"]),
            "availableReplicas": min(len(ready), spec["replicas"]),
        }
        await self._report(DEPLOYMENTS, found, status)

    # What there is in the end

    def _version(self) -> int:
        return self.cluster._state.version

    def _all(self, kind: Resource) -> list[Json]:
        """Return the objects of a kind themselves, not copies: only to be read, but fast."""
        return [obj for _, obj in sorted(self.cluster._state.of(kind).items())]

    def _remember(self) -> None:
        for kind in (each.resource for each in WATCHED):
            for obj in self._all(kind):
                metadata = obj["metadata"]
                if kind != PODS and not _is_request(obj):
                    self.uids.add((kind.kind, metadata["name"], metadata["uid"]))

    def _check_conditions(self) -> None:
        for obj in (obj for kind in OWN_KINDS for obj in self._all(kind)):
            if (obj.get("status") or {}).get("conditions"):
                assert_conditions_sane(obj)

    def incarnations(self) -> Counter[tuple[str, str]]:
        """Return how often an object of each name has existed."""
        return Counter((kind, name) for kind, name, _ in self.uids)

    def state(self) -> dict[str, Any]:
        """Return every object without what differs between equal runs."""
        return comparable(
            (kind.resource, obj) for kind in WATCHED for obj in self._all(kind.resource)
        )


def _is_request(obj: Json) -> bool:
    """Return whether an object only asks for another one, and goes when it is answered."""
    return obj["kind"] == RELEASES.kind and "version" not in obj["spec"]


def _container(state: Json, *, ready: bool = False) -> Json:
    container = {"state": state, "lastState": {}, "ready": ready, "restartCount": 0}
    return {"phase": "Running", "containerStatuses": [container]}
