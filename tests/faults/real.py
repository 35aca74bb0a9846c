"""A world for the workloads with a real API server, a real storage and a real operator process.

It offers people the same as a ``Simulation``. One namespace, one app; afterwards both are empty.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import builders as b
from comparison import comparable
from faults.kubelet import Kubelet
from faults.operators import Operator, Operators
from faults.plane import SYSTEM, Plane
from faults.proxy import Call, Fault, Judge, Proxy, before_api_server
from faults.sight import is_at_rest, without_noise, words
from haikube.cluster.errors import NotFound
from haikube.cluster.http import HttpCluster
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import (
    APPS,
    BUILDS,
    DYNOS,
    FORMATIONS,
    LEASES,
    NAMESPACES,
    PODS,
    RELEASES,
    SECRETS,
    STACKS,
    Resource,
)
from haikube.operator.watched import WATCHED
from haikube.storage.s3 import S3Storage
from operator_steps import WEB
from storage.seaweed import Seaweed
from wishes import Wishes

QUIET_SECONDS = 1.5
PATIENCE = 60.0
STACK = "debian-13"
_POLL = 0.2
_KEEP = 0.05
_PATIENT = {"HAIKUBE_LEASE_SECONDS": "60"}
"""A busy machine shall cost nobody the lead; who has the same name takes it over at once anyway."""

_BESIDE = frozenset({"leases", "events"})
"""What is written for other reasons than a workload."""

_FREE = frozenset({"clusterIP", "clusterIPs", "podName", "duration", "observedGeneration"})
"""Fields that a server chooses, or that tell of time."""

_CREATED = 201
_REFUSED = 400
_SHOWN = 160


@dataclass(frozen=True)
class Surroundings:
    """What all worlds of a session share."""

    plane: Plane
    seaweed: Seaweed
    operators: Operators


class RealWorld(Wishes):
    """One app's worth of cluster; ``judge`` decides about each write of the operator."""

    def __init__(self, around: Surroundings, cluster: HttpCluster) -> None:
        self.cluster = cluster
        self.results: dict[str, Json] = {}
        self.around = around
        self.api = before_api_server(around.plane)
        self.storage = Proxy(around.seaweed.endpoint)
        self.kubelet = Kubelet(cluster, S3Storage(around.seaweed.settings()), self.results)
        self.operator: Operator
        self.replicas: list[tuple[Operator, Proxy]] = []
        """All operators, each with the proxy that it speaks through."""

        self.faulted: list[str] = []
        """The writes that met a fault, in words."""

    @asynccontextmanager
    async def running(self, **settings: str) -> AsyncIterator[RealWorld]:
        """Run everything as long as the context lasts."""
        await self._make_namespace()
        async with AsyncExitStack() as stack:
            for each in (self.api, self.storage, self.kubelet):
                await stack.enter_async_context(each.running())
            self.operator = self.add("one", self.api, **settings)
            self.api.kill = self.operator.kill
            keeping = asyncio.create_task(self._keep_running())
            try:
                yield self
            finally:
                keeping.cancel()
                for operator, _ in self.replicas:
                    await operator.kill()
                await self._clear()

    def add(self, name: str, proxy: Proxy, **settings: str) -> Operator:
        """Return another operator, just started."""
        operator = Operator(self.around.operators, name, proxy.port, self.storage.port)
        operator.start(**{**_PATIENT, **settings})
        self.replicas.append((operator, proxy))
        return operator

    async def _keep_running(self) -> None:
        """Start operators that have ended anew, as a kubelet does."""
        while True:
            for operator, proxy in self.replicas:
                if operator.is_kept and not operator.lives:
                    proxy.led = 0.0
                    operator.start()
            await asyncio.sleep(_KEEP)

    async def meets(
        self, kind: Resource, name: str, holds: Callable[[Json], object], what: str
    ) -> None:
        """Wait until something holds for an object."""

        async def is_so() -> bool:
            try:
                return bool(holds(await self.cluster.get(kind, name, b.NAMESPACE)))
            except NotFound:
                return False

        await self.until(is_so, f"{kind.kind} {name} {what}")

    async def _make_namespace(self) -> None:
        marks = {"haikube.dev/team": b.NAMESPACE, "pod-security.kubernetes.io/enforce": "baseline"}
        body = {"apiVersion": "v1", "kind": "Namespace"}
        metadata = {"name": b.NAMESPACE, "labels": marks}
        await self.cluster.apply(NAMESPACES, {**body, "metadata": metadata}, manager="admin")

    async def _clear(self) -> None:
        await self.clear(APPS, BUILDS, RELEASES, FORMATIONS, DYNOS, SECRETS)
        for kind, name, place in ((LEASES, "haikube-operator", SYSTEM), (STACKS, STACK, None)):
            with contextlib.suppress(NotFound):
                await self.cluster.delete(kind, name, place)
        await self.until(self._is_empty, "nothing is left of it")

    async def clear(self, *kinds: Resource) -> None:
        """Delete all objects of some kinds that belong to apps."""
        for kind in kinds:
            labelled = labels.APP if kind == SECRETS else ""
            for each in (await self.cluster.list(kind, b.NAMESPACE, labels=labelled)).items:
                with contextlib.suppress(NotFound):
                    await self.cluster.delete(kind, each["metadata"]["name"], b.NAMESPACE)

    async def _is_empty(self) -> bool:
        return not [each async for each in self._objects()]

    async def _objects(self) -> AsyncIterator[tuple[Resource, Json]]:
        for kind in WATCHED:
            if kind.resource != STACKS:
                found = await self.cluster.list(kind.resource, b.NAMESPACE, labels=kind.labels)
                for each in found.items:
                    yield kind.resource, each

    # What a test waits for

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait until something is so."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not await holds():  # noqa: ASYNC110 - it asks a server
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            raise AssertionError(f"after {PATIENCE} s it is not so: {what}{self.story()}") from None

    def story(self) -> str:
        """Return what a failure is understood by."""
        refused = [
            f"{call.verb} {call.path}: {status} {answer.get('message')}"
            for call, status, answer in self.api.calls
            if status >= _REFUSED
        ]
        faults = [each[:_SHOWN] for each in self.faulted]
        log = self.operator.log.read_text()[-4000:]
        return "\n".join(("", "refused:", *refused, "faults:", *faults, "log:", log))

    async def settle(self) -> None:
        """Wait until nobody has anything to do, and nobody has done anything for a while."""

        async def is_settled() -> bool:
            await self.rest()
            return await self._is_done()

        await self.until(is_settled, "builds, Jobs and Deployments have come to their end")

    async def rest(self) -> None:
        """Wait until nobody has done anything for a while."""
        begun = asyncio.get_running_loop().time()

        async def is_quiet() -> bool:
            written = [each.last_write for _, each in self.replicas]
            led = [each.led for _, each in self.replicas]
            last = max(begun, self.kubelet.last_action, *written, *led)
            return max(led) > 0 and asyncio.get_running_loop().time() - last > QUIET_SECONDS

        await self.until(is_quiet, "nothing is written any more")

    async def _is_done(self) -> bool:
        """Return whether builds, Jobs and Deployments have come to their end."""
        return all([is_at_rest(kind, obj) async for kind, obj in self._objects()])

    async def deployed(self) -> None:
        """Have an app that serves v2."""
        images = {"runImage": "run:1", "buildImage": "build:1"}
        await self.apply(STACKS, STACK, images)
        await self.apply(APPS, "hello", {})
        await self.until(lambda: self._serves(1), "v1 is there")
        await self.push("b1", WEB)
        await self.until(lambda: self._serves(2), "v2 serves")
        await self.settle()

    async def _serves(self, version: int) -> bool:
        status = (await self.cluster.get(APPS, "hello", b.NAMESPACE)).get("status", {})
        current = status.get("currentRelease", {}).get("version") == version
        return current and (version == 1 or status["conditions"][0]["status"] == "True")

    # What there is in the end

    async def state(self) -> dict[str, Any]:
        """Return every object without what differs between equal runs."""
        found = [
            (kind, without_noise(kind, obj))
            async for kind, obj in self._objects()
            if kind != PODS or "deletionTimestamp" not in obj["metadata"]
        ]
        return comparable(found, without=_FREE)

    def incarnations(self) -> Counter[tuple[str, str]]:
        """Return how often the operator has made an object of each name."""
        return Counter(
            (answer["kind"], answer["metadata"]["name"])
            for _, each in self.replicas
            for call, status, answer in each.calls
            if status == _CREATED and call.resource not in _BESIDE
        )

    def refused(self) -> list[str]:
        """Return what the operator asked for without having the right."""
        return [f"{call.verb} {call.path}" for call, status, _ in self.api.calls if status == 403]

    # Faults

    def fault_each_write(self, *faults: Fault, tries: int = 1) -> Judge:
        """Return a judge that puts faults, by turns, at the first tries of each write."""

        def judge(call: Call) -> Fault | None:
            what = words(call) if call.writes and call.resource not in _BESIDE else ""
            if not what or self.faulted.count(what) == tries:
                return None
            self.faulted.append(what)
            return faults[(len(self.faulted) - 1) % len(faults)]

        return judge


@asynccontextmanager
async def real_world(around: Surroundings, **settings: str) -> AsyncIterator[RealWorld]:
    """Run a world as long as the context lasts."""
    credentials = around.plane.credentials()
    async with HttpCluster(credentials, user_agent="person") as cluster:
        world = RealWorld(around, cluster)
        async with world.running(**settings):
            yield world
