"""How long a hand-over of the lead takes, for a person who scales an app at that very moment.

usage: python -m bench.handover [--rounds 5]

Two operator processes with their shipped settings run against a bare API server. The leader is
stopped, killed or frozen, and at the same moment somebody scales; what is measured is the time
until the Deployment has the replicas. The reference is the same scale without any hand-over.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import builders as b
from bench.table import REPORT
from bench.table import TITLE as SCALE
from faults.operators import Operator, operators
from faults.plane import SYSTEM, control_plane
from faults.proxy import Proxy, before_api_server
from faults.real import RealWorld, Surroundings, real_world
from haikube.model.resources import DEPLOYMENTS, FORMATIONS, LEASES
from haikube.settings import Settings
from storage.seaweed import start_seaweed

TITLE = "## Hand-over of the lead"
_LEASE = ("coordination.k8s.io", "leases", "get")
_LEASE_SECONDS = 10.0
SHIPPED = {"HAIKUBE_LEASE_SECONDS": str(Settings().lease_seconds)}

WAYS: Mapping[str, tuple[signal.Signals | None, float]] = {
    "no hand-over": (None, 0.0),
    "the leader is stopped (SIGTERM)": (signal.SIGTERM, 1.0),
    "the leader is killed (SIGKILL)": (signal.SIGKILL, 10.0),
    "the leader is frozen (SIGSTOP)": (signal.SIGSTOP, 10.0),
}
"""What happens to the leader, and the most seconds that a scale may take then."""

Replica = tuple[Operator, Proxy]


@dataclass(frozen=True)
class Measured:
    """Seconds of every way, and how often a leader writes its Lease, per second."""

    seconds: Mapping[str, list[float]]
    lease_writes: float


async def measure(around: Surroundings, rounds: int) -> Measured:
    """Measure all ways by turns."""
    second = before_api_server(around.plane)
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    async with real_world(around, **SHIPPED) as world, second.running():
        await world.deployed()
        world.add("two", second, **SHIPPED)
        pair = {each.name: (each, proxy) for each, proxy in world.replicas}
        for operator, _ in pair.values():
            operator.is_kept = False
        await _ready(world, second)
        for at in range(rounds):
            for number, (name, (what, _)) in enumerate(WAYS.items()):
                leader = pair[await _leader(world)]
                wanted = 2 + (at * len(WAYS) + number) % 2
                seconds[name].append(await _scale(world, leader[0], what, wanted))
                if what is not None:
                    leader[0].send(signal.SIGCONT)
                    await leader[0].ended()
                    await _stand_by(world, leader)
        writes = await _lease_writes(pair[await _leader(world)][1])
    return Measured(seconds, writes)


async def _stand_by(world: RealWorld, replica: Replica) -> None:
    """Start a replica again, and wait until its caches are filled: it asks for the Lease then."""
    operator, proxy = replica
    proxy.rights.clear()
    operator.start()
    await _ready(world, proxy)


async def _ready(world: RealWorld, proxy: Proxy) -> None:
    async def asks() -> bool:
        return _LEASE in proxy.rights

    await world.until(asks, "a standby is ready")
    await world.settle()


async def _leader(world: RealWorld) -> str:
    lease = await world.cluster.get(LEASES, "haikube-operator", SYSTEM)
    return str(lease["spec"]["holderIdentity"])


async def _scale(
    world: RealWorld, leader: Operator, what: signal.Signals | None, wanted: int
) -> float:
    """Return the seconds from the signal, with a scale right behind it, until that is done."""
    found = await world.cluster.get(DEPLOYMENTS, "hello-web", b.NAMESPACE)
    version = found["metadata"]["resourceVersion"]
    changes = world.cluster.watch(DEPLOYMENTS, b.NAMESPACE, resource_version=version)
    begun = time.monotonic()
    if what is not None:
        leader.send(what)
    wish = {"spec": {"quantity": wanted}}
    await world.cluster.patch(FORMATIONS, "hello-web", b.NAMESPACE, wish)
    async with asyncio.timeout(60):
        async for event in changes:
            if event.object["spec"]["replicas"] == wanted:
                break
    seconds = time.monotonic() - begun
    await world.settle()
    return seconds


async def _lease_writes(proxy: Proxy) -> float:
    """Return how often a second a leader writes its Lease."""
    before = len(proxy.calls)
    await asyncio.sleep(_LEASE_SECONDS)
    written = [call for call, _, _ in proxy.calls[before:] if call.resource == "leases"]
    return len(written) / _LEASE_SECONDS


def _section(found: Measured) -> str:
    """Return the section of ``docs/benchmarks.md``."""
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    load, rounds = os.getloadavg()[0], len(next(iter(found.seconds.values())))
    lines = (
        f"| {name} | {statistics.median(each):.2f} s | {max(each):.2f} s | {WAYS[name][1] or ''} |"
        for name, each in found.seconds.items()
    )
    return "\n".join(
        (
            TITLE,
            "",
            "Made by `python -m bench.handover`: two operator processes with their shipped",
            "settings against a bare API server, and somebody who scales an app at the moment of",
            "the fault.",
            "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {where}, load {load:.0f}; {rounds} rounds",
            "",
            "| scale → Deployment patched, when | median | worst | at most (s) |",
            "|---|---|---|---|",
            *lines,
            "",
            f"A leader writes its Lease {found.lease_writes:.2f} times a second, at most 0.5.",
            "",
            "",
        )
    )


def _keep(text: str) -> None:
    """Put the section in the place of the one before, in front of the scale benchmark."""
    before, scale, after = REPORT.read_text().partition(SCALE)
    before = before.partition(TITLE)[0]
    REPORT.write_text(f"{before.rstrip()}\n\n{text}{scale}{after}")


def main() -> int:
    """Measure, print and keep; returns 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(prog="bench.handover", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        seaweed = start_seaweed(folder)
        stack.callback(seaweed.stop)
        plane = stack.enter_context(control_plane(folder))
        forks = stack.enter_context(operators(folder))
        found = asyncio.run(measure(Surroundings(plane, seaweed, forks), rounds))
    text = _section(found)
    _keep(text)
    sys.stdout.write(text)
    kept = all(max(found.seconds[name]) <= most for name, (_, most) in WAYS.items() if most)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
