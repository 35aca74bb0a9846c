"""The operator as a benchmark sees it: start it, stop it, and read what it says of itself."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bench.client import Bare, Json, path
from haikube.model.resources import DEPLOYMENTS, PODS

NAMESPACE = "haikube-system"
NAME = "haikube-operator"
_LABELS = f"app.kubernetes.io/name={NAME}"
_WRITE = re.compile(r'^haikube_writes_total\{kind="(\w+)",verb="(\w+)"\} (\S+)', re.MULTILINE)
_WAIT_SECONDS = 300.0


@dataclass(frozen=True)
class Figures:
    """Counted writes by (kind, verb), CPU in seconds and memory in bytes of one process."""

    writes: Mapping[tuple[str, str], float] = field(default_factory=dict)
    cpu: float = 0.0
    memory: float = 0.0
    leads: bool = False
    started: float = 0.0
    queued: int = 0

    @property
    def total(self) -> float:
        """All writes."""
        return sum(self.writes.values())

    def since(self, before: Figures) -> Figures:
        """Return what has come to it, and the memory of now."""
        writes = {key: count - before.writes.get(key, 0) for key, count in self.writes.items()}
        return Figures(writes, self.cpu - before.cpu, self.memory, self.leads)


def parse(text: str) -> Figures:
    """Return the figures in the metrics of a process."""

    def one(name: str) -> float:
        found = re.search(rf"^{name} (\S+)", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    return Figures(
        writes={(kind, verb): float(count) for kind, verb, count in _WRITE.findall(text)},
        cpu=one("process_cpu_seconds_total"),
        memory=one("process_resident_memory_bytes"),
        leads=one("haikube_leader") == 1,
        started=one("process_start_time_seconds"),
        queued=int(one("haikube_queue_depth")),
    )


class Operator(Protocol):
    """An operator that a benchmark starts and stops as it likes."""

    async def start(self) -> None:
        """Start it."""
        ...

    async def stop(self) -> None:
        """Stop it, and wait until it is gone."""
        ...

    async def now(self) -> Figures:
        """Return its figures, nothing while it does not answer."""
        ...

    async def start_seconds(self) -> float:
        """Return how long it took from its process's start until it led."""
        ...


async def leader(operator: Operator) -> Figures:
    """Return the figures of an operator once it leads."""
    end = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < end:
        found = await operator.now()
        if found.leads:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("no operator leads")


def led_at(log: str) -> float:
    """Return the moment at which an operator began to lead, as its log tells."""
    led = re.search(r'leads: \d+ keys.*"timestamp": "([^"]+)"', log)
    assert led, log[-2000:]
    return datetime.fromisoformat(led[1]).timestamp()


class InCluster:
    """The operator of a cluster that is installed as people install it."""

    def __init__(self, client: Bare) -> None:
        self._client = client

    async def start(self) -> None:
        """Run one operator."""
        await self.scale(1)

    async def stop(self) -> None:
        """Run none."""
        await self.scale(0)

    async def scale(self, replicas: int) -> None:
        """Run so many operators, and wait until no other one is left."""
        await self._client.patch(DEPLOYMENTS, NAMESPACE, NAME, {"spec": {"replicas": replicas}})
        end = time.monotonic() + _WAIT_SECONDS
        while len(await self._pods()) != replicas:
            assert time.monotonic() < end, f"there are not {replicas} operators"
            await asyncio.sleep(0.2)

    async def now(self) -> Figures:
        """Return the figures of the only operator, nothing while it does not answer."""
        for pod in await self._pods():
            name = pod["metadata"]["name"]
            place = f"{path(PODS, NAMESPACE, name)}:9090/proxy/metrics"
            text = await self._client.text(place)
            if "process_cpu_seconds_total" in text:
                return parse(text)
        return Figures()

    async def start_seconds(self) -> float:
        """Return how long it took from its process's start until it led."""
        (pod,) = await self._pods()
        log = await self._client.text(path(PODS, NAMESPACE, pod["metadata"]["name"], "log"))
        return led_at(log) - (await self.now()).started

    async def _pods(self) -> list[Json]:
        return await self._client.items(PODS, NAMESPACE, _LABELS)
