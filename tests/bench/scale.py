"""The operator at scale on a real API server, beside a bare client that writes the very same.

usage: python -m bench.scale [--apps 1000] [--dynos 0] [--idle 60] [--patches 100] [--alone]

Each App has a finished build, a ``web`` and a ``worker``. The operator is stopped while they are
made, so that all of its work is measured and nothing else. The reference is the least that anybody
could write: each object once, and one status each. With ``--dynos 1`` pods run on kwok's nodes;
with ``--alone`` there is an API server and nothing else: no nodes, no controllers of Kubernetes.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from bench import kwok
from bench.alone import alone
from bench.client import Bare, Json, bare_client, list_watched, timed
from bench.fleet import Fleet, is_ready
from bench.leading import Figures, Operator, leader
from bench.reserved import removed, reserved
from bench.table import keep, rows
from haikube.model.names import formation_name
from haikube.model.resources import (
    APPS,
    BUILDS,
    CHILD_KINDS,
    DEPLOYMENTS,
    FORMATIONS,
    NAMESPACES,
    PODS,
    RELEASES,
    SECRETS,
    Resource,
)

MADE = (RELEASES, *(kind for kind in CHILD_KINDS if kind != PODS))
"""Kinds that the operator makes for an App of the fleet."""

WITH_STATUS = (APPS, BUILDS, RELEASES, FORMATIONS)
_READY_SECONDS = 3600.0
_SETTLE_SECONDS = 5.0
_STARTS = 3


@dataclass(frozen=True)
class Wish:
    """What is measured."""

    apps: int
    dynos: int
    idle: int
    patches: int
    alone: bool


class Reference(NamedTuple):
    """What a bare client takes; seconds by the clock and of its CPU."""

    seconds: float
    cpu: float


@dataclass(frozen=True)
class Seen:
    """All figures of one run; times in seconds."""

    wish: Wish
    ready: float
    bare: Reference
    work: Figures
    least: Mapping[str, int]
    empty: Figures
    fresh: Figures
    restart: tuple[float, float]
    listing: float
    latencies: tuple[list[float], list[float]]
    idle: Figures


async def measure(wish: Wish) -> Seen:
    """Run everything once, on the cluster of the kubeconfig or on one that is there for this."""
    if wish.alone:
        async with alone() as here:
            return await _measure(wish, here.client, here)
    async with (
        bare_client() as client,
        kwok.nodes(client, wish.dynos, wish.apps),
        reserved(client) as operator,
    ):
        return await _measure(wish, client, operator)


async def _measure(wish: Wish, client: Bare, operator: Operator) -> Seen:
    tag = secrets.token_hex(3)
    ours, bare = (Fleet(f"{name}-{tag}", wish.apps, wish.dynos) for name in ("scale", "bare"))
    beside = Fleet(f"beside-{tag}", wish.apps, wish.dynos)
    try:
        empty, empty_start = await _restarted(operator)
        await operator.stop()
        await ours.make(client)
        ready, work = await _deployed(client, operator, ours)
        await operator.stop()
        copies = await _copies(client, ours, bare)
        listing = min([await list_watched(client) for _ in range(_STARTS)])
        fresh, start = await _restarted(operator)
        idle = await _idle(operator, wish.idle)
        latencies = await _latencies(client, ours, beside, wish.patches)
        await operator.stop()
        reference = await _reference(client, bare, copies)
    finally:
        if not wish.alone:
            for fleet in (ours, bare, beside):
                await removed(client, fleet)
    return Seen(
        wish=wish,
        ready=ready,
        bare=reference,
        work=work,
        least=copies.least,
        empty=empty,
        fresh=fresh,
        restart=(start, empty_start),
        listing=listing,
        latencies=latencies,
        idle=idle,
    )


async def _restarted(operator: Operator) -> tuple[Figures, float]:
    """Start the operator anew; returns its figures once it is quiet, and the time it took.

    The shortest of several starts: the first ones read the program from the disk.
    """
    seconds = []
    for _ in range(_STARTS):
        await operator.stop()
        await operator.start()
        await leader(operator)
        seconds.append(await operator.start_seconds())
    await asyncio.sleep(_SETTLE_SECONDS)
    return await operator.now(), min(seconds)


async def _deployed(client: Bare, operator: Operator, fleet: Fleet) -> tuple[float, Figures]:
    """Start the operator; returns the time from its first write to the last App's Ready."""
    since = await client.version(APPS, fleet.namespace)
    await operator.start()
    waiting, begun = set(fleet.names), 0.0
    before = replace(await leader(operator), writes={})
    async with asyncio.timeout(_READY_SECONDS):
        async for event in client.watch(APPS, fleet.namespace, since):
            begun = begun or time.monotonic()
            if is_ready(event["object"]):
                waiting.discard(event["object"]["metadata"]["name"])
            if not waiting:
                break
    seconds = time.monotonic() - begun
    await asyncio.sleep(_SETTLE_SECONDS)
    return seconds, (await operator.now()).since(before)


@dataclass(frozen=True)
class Copies:
    """What the operator has made and said, as a bare client would write it elsewhere."""

    bodies: list[tuple[Resource, Json]]
    statuses: list[tuple[Resource, Json]]

    @property
    def least(self) -> Mapping[str, int]:
        """Return how many writes there must be, by kind: each object once, and each status."""
        made = Counter(kind.kind for kind, _ in self.bodies)
        return made + Counter(f"{kind.kind} status" for kind, _ in self.statuses)


async def _copies(client: Bare, ours: Fleet, bare: Fleet) -> Copies:
    bodies = [
        (kind, _copied(each, bare.namespace))
        for kind in MADE
        for each in await client.items(kind, ours.namespace)
        if kind != SECRETS or each["type"] == "Opaque"
    ]
    statuses = [
        (kind, each) for kind in WITH_STATUS for each in await client.items(kind, ours.namespace)
    ]
    return Copies(bodies, statuses)


async def _reference(client: Bare, bare: Fleet, copies: Copies) -> Reference:
    """Return what it takes a bare client to write the least, with the operator away."""
    await bare.make(client)
    cpu = time.process_time()
    seconds = await timed(copies.bodies, client)
    started = time.monotonic()
    statuses = [
        client.patch_status(kind, bare.namespace, each["metadata"]["name"], each["status"])
        for kind, each in copies.statuses
    ]
    await asyncio.gather(*statuses)
    return Reference(seconds + time.monotonic() - started, time.process_time() - cpu)


def _copied(obj: Json, namespace: str) -> Json:
    """Return an object as somebody else would make it in another namespace."""
    kept = ("name", "labels", "annotations")
    metadata = {key: obj["metadata"][key] for key in kept if key in obj["metadata"]}
    body = {key: part for key, part in obj.items() if key not in {"metadata", "status"}}
    if obj.get("kind") == "Service" or "clusterIP" in body.get("spec", {}):
        body["spec"] = {
            key: part for key, part in body["spec"].items() if not key.startswith("clusterIP")
        }
    return {**body, "metadata": {**metadata, "namespace": namespace}}


async def _latencies(
    client: Bare, ours: Fleet, bare: Fleet, patches: int
) -> tuple[list[float], list[float]]:
    """Return seconds from a patch of a Formation, and of a bare Deployment, to the new replicas."""
    names = [formation_name(name, "worker") for name in ours.names]
    chosen = sorted({names[number * len(names) // patches] for number in range(patches)})
    for name in chosen:  # a Deployment is made when there is something to run
        await _latency(client, ours, FORMATIONS, name, ours.dynos + 1)
    await client.create(NAMESPACES, {"metadata": {"name": bare.namespace}})
    for deployment in await client.items(DEPLOYMENTS, ours.namespace):
        if deployment["metadata"]["name"] in chosen:
            await client.create(DEPLOYMENTS, _copied(deployment, bare.namespace))
    wanted = ours.dynos + 2
    return (
        [await _latency(client, ours, FORMATIONS, name, wanted) for name in chosen],
        [await _latency(client, bare, DEPLOYMENTS, name, wanted) for name in chosen],
    )


async def _latency(client: Bare, fleet: Fleet, kind: Resource, name: str, wanted: int) -> float:
    """Return the seconds until a Deployment has the replicas that its owner is asked for."""
    field = "replicas" if kind == DEPLOYMENTS else "quantity"
    since = await client.version(DEPLOYMENTS, fleet.namespace)
    watch = client.watch(DEPLOYMENTS, fleet.namespace, since)
    started = time.monotonic()
    patching = asyncio.create_task(
        client.patch(kind, fleet.namespace, name, {"spec": {field: wanted}})
    )
    async with asyncio.timeout(30):
        async for event in watch:
            found = event["object"]
            if found["metadata"]["name"] == name and found["spec"]["replicas"] == wanted:
                break
    seconds = time.monotonic() - started
    await patching
    return seconds


async def _idle(operator: Operator, seconds: int) -> Figures:
    await asyncio.sleep(_SETTLE_SECONDS)
    before = await operator.now()
    await asyncio.sleep(seconds)
    return (await operator.now()).since(before)


def main() -> int:
    """Measure, print the table and keep it."""
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__)
    for name, default in (("apps", 1000), ("dynos", 0), ("idle", 60), ("patches", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--alone", action="store_true")
    wish = Wish(**vars(parser.parse_args()))
    seen = asyncio.run(measure(wish))
    text = rows(seen, datetime.now(UTC))
    keep(text)
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
