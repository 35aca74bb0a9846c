"""A cluster that a benchmark has to itself: the real node runs the operator, kwok the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench import kwok, leading
from bench.client import Bare
from bench.fleet import Fleet
from bench.leading import InCluster, Operator
from haikube.model.resources import DEPLOYMENTS, NAMESPACES, NODES

_REMOVAL_SECONDS = 1800
_REAL = {"key": "type", "operator": "NotIn", "values": [kwok.LABEL]}
_AWAY_FROM_KWOK = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [_REAL]}]
        }
    }
}
"""Its nodes run nothing: a program there seems to, and never answers."""


@asynccontextmanager
async def reserved(client: Bare) -> AsyncIterator[Operator]:
    """Keep pods off the real node; the operator is back as it was afterwards."""
    deployment = await client.call(
        "GET", f"/apis/apps/v1/namespaces/{leading.NAMESPACE}/deployments/{leading.NAME}"
    )
    operator = InCluster(client)
    try:
        await _cordon(client, on=True)
        yield operator
    finally:
        await _cordon(client, on=False)
        await operator.scale(deployment["spec"]["replicas"])


async def removed(client: Bare, fleet: Fleet) -> None:
    """Delete a namespace and wait until nothing of it is left."""
    label = f"kubernetes.io/metadata.name={fleet.namespace}"
    if await client.items(NAMESPACES, "", label):
        await client.call("DELETE", f"/api/v1/namespaces/{fleet.namespace}")
    for _ in range(_REMOVAL_SECONDS):
        if not await client.items(NAMESPACES, "", label):
            return
        await asyncio.sleep(1)
    raise AssertionError(f"namespace {fleet.namespace} is not gone")


async def _cordon(client: Bare, *, on: bool) -> None:
    """Let the real nodes take no pod but the operator's, which runs nowhere else."""
    taint = {"key": "haikube.dev/bench", "effect": "NoSchedule"}
    for node in await client.items(NODES):
        if node["metadata"].get("labels", {}).get("type") != kwok.LABEL:
            body = {"spec": {"taints": [taint] if on else None}}
            await client.patch(NODES, "", node["metadata"]["name"], body)
    toleration = [{"key": "haikube.dev/bench", "operator": "Exists"}] if on else None
    place = {"tolerations": toleration, "affinity": _AWAY_FROM_KWOK if on else None}
    pod = {"spec": {"template": {"spec": place}}}
    await client.patch(DEPLOYMENTS, leading.NAMESPACE, leading.NAME, pod)
