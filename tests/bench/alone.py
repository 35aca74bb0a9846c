"""One operator process alone with a bare API server: nothing else uses the machine.

There is no node, so nothing runs; what is measured is the operator and its API server. The
controllers of Kubernetes are away: each would keep a picture of its own of all that there is.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import aiohttp

from bench.client import Bare, bare_client
from bench.leading import Figures, led_at, parse
from bench.shipped import shipped_operator
from faults.plane import SYSTEM, Plane, control_plane
from haikube.model.resources import LEASES
from storage.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed, free_ports, start_seaweed

_POLL = 0.05
_WAIT_SECONDS = 900.0
_STILL = 2.0
"""Seconds without a write after which an operator with an empty queue is at rest."""


@dataclass(frozen=True)
class Start:
    """How one start of an operator went; seconds since its process began."""

    led: float
    looked: float
    longest_beat: float
    """The longest time between two renewals of the Lease."""

    figures: Figures


@dataclass
class Alone:
    """A control plane, a storage, and the operator between them."""

    plane: Plane
    seaweed: Seaweed
    client: Bare
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    async def start(self) -> None:
        """Start an operator with its shipped settings."""
        (self.port,) = free_ports(1)
        self.process = self._begin()

    async def stop(self) -> None:
        """Stop it in good order."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self.process.wait, 30)
            self.process = None

    def _begin(self) -> subprocess.Popen[bytes]:
        env = {**os.environ, **self._settings()}
        with self.log.open("wb") as log:
            return subprocess.Popen(self.command, stdout=log, stderr=log, env=env)

    @property
    def log(self) -> Path:
        """Return what the operator has logged."""
        return self.plane.folder / "operator.log"

    def _settings(self) -> Mapping[str, str]:
        return {
            "KUBECONFIG": str(self.plane.kubeconfig),
            "HAIKUBE_IDENTITY": f"alone-{time.time_ns()}",
            "HAIKUBE_METRICS_PORT": str(self.port),
            "HAIKUBE_STORAGE_ENDPOINT": self.seaweed.endpoint,
            "HAIKUBE_STORAGE_ACCESS_KEY": ACCESS_KEY,
            "HAIKUBE_STORAGE_SECRET_KEY": SECRET_KEY,
        }

    async def now(self) -> Figures:
        """Return what it says of itself, nothing before it answers."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            address = f"http://127.0.0.1:{self.port}/metrics"
            async with aiohttp.request("GET", address) as answer:
                return parse(await answer.text())
        except aiohttp.ClientError:
            return Figures()

    async def at_rest(self) -> Figures:
        """Wait until it leads and has nothing to do; returns its figures."""
        since, before = time.monotonic(), -1.0

        def is_at_rest(found: Figures) -> bool:
            nonlocal since, before
            if found.total != before or not found.leads or found.queued:
                since, before = time.monotonic(), found.total
            return time.monotonic() - since > _STILL

        return await self._until(is_at_rest)

    async def restarted(self) -> Start:
        """Stop it and start it anew; returns how that went, once it is at rest."""
        await self.stop()
        beats: list[float] = []
        listening = asyncio.create_task(self._hear_beats(beats))
        began = time.time()
        await self.start()
        await self._until(lambda found: found.leads and not found.queued)
        looked = time.time() - began
        figures = await self.at_rest()
        listening.cancel()
        own = [each for each in beats if each > began]
        longest = max((b - a for a, b in pairwise(own)), default=0.0)
        return Start(led_at(self.log.read_text()) - began, looked, longest, figures)

    async def start_seconds(self) -> float:
        """Return how long it took from its process's start until it led."""
        return led_at(self.log.read_text()) - (await self.now()).started

    async def _until(self, holds: Callable[[Figures], bool]) -> Figures:
        async with asyncio.timeout(_WAIT_SECONDS):
            while not holds(found := await self.now()):  # noqa: ASYNC110 - it asks a server
                await asyncio.sleep(_POLL)
        return found

    async def _hear_beats(self, moments: list[float]) -> None:
        """Note when the Lease was renewed, until cancelled."""
        version = await self.client.version(LEASES, SYSTEM)
        async for event in self.client.watch(LEASES, SYSTEM, version):
            spec = event["object"]["spec"]
            if spec.get("holderIdentity"):
                moments.append(datetime.fromisoformat(spec["renewTime"]).timestamp())


@asynccontextmanager
async def alone() -> AsyncIterator[Alone]:
    """Run a control plane and a storage; the operator is the caller's to start."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="haikube-bench-")))
        seaweed = start_seaweed(folder)
        stack.callback(seaweed.stop)
        plane = stack.enter_context(control_plane(folder, controllers=False))
        command = stack.enter_context(shipped_operator(folder))
        async with bare_client(plane.kubeconfig) as client:
            found = Alone(plane, seaweed, client, command)
            try:
                yield found
            finally:
                await found.stop()
