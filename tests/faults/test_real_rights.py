"""The operator's rights against what it asks for: nothing is refused, nothing is granted in vain.

One operator does everything that an operator does, and each of its writes goes wrong twice, for
part of its rights is there for what it looks at afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest

import builders as b
from faults.plane import SYSTEM
from faults.proxy import Call, Fault, Judge, Proxy, Refusal, tells
from faults.real import RealWorld, Surroundings, real_world
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import (
    APPS,
    BUILDS,
    BY_KIND,
    CONFIG_MAPS,
    DYNOS,
    FORMATIONS,
    GATEWAYS,
    JOBS,
    NODES,
    SECRETS,
    Resource,
)
from manifests.built import of_kind, one
from operator_steps import PHASED, WEB, built

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

Right = tuple[str, str, str]

CONFLICT = Refusal(409, "Conflict")
TAKEN = Refusal(409, "AlreadyExists")
MISSED = frozenset({"nodes", "gateways"})
ELSEWHERE = frozenset({"cert-manager.io"})
"""Asked for only where cert-manager is installed; ``tests/operator/test_rights.py`` traces it."""

SHORT = {
    "HAIKUBE_BUILD_HISTORY": "1",
    "HAIKUBE_RELEASE_HISTORY": "2",
    "HAIKUBE_SWEEP_SECONDS": "2",
    "HAIKUBE_RESYNC_SECONDS": "5",
    "HAIKUBE_CA_BUNDLE_CONFIGMAP": "extra",
}


def granted() -> set[Right]:
    """Return group, resource and verb of everything that the manifests let the operator do."""
    everywhere = one("base", "ClusterRole", "haikube-operator")
    (at_home,) = (
        each for each in of_kind("base", "Role") if each["metadata"]["name"] == "haikube-operator"
    )
    return {
        (group, resource, verb)
        for rule in (*everywhere["rules"], *at_home["rules"])
        for group in rule["apiGroups"]
        if group not in ELSEWHERE
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(proxy: Proxy) -> set[Right]:
    """Return the rights that were needed for what an operator asked."""
    found = {each for each in proxy.rights if each[1]}
    for call, status, answer in proxy.calls:
        if call.verb == "patch" and status == 201:  # an apply that makes the object
            found.add((call.group, call.resource, "create"))
        found |= set(_for_owners(call, answer)) if call.writes else set()
    return found


def _for_owners(call: Call, answer: Mapping[str, Any]) -> Iterator[Right]:
    """Yield what is asked where OwnerReferencesPermissionEnforcement is switched on, as here."""
    owners = (answer.get("metadata") or {}).get("ownerReferences", ())
    if owners and call.verb == "patch" and b"ownerReferences" in call.body:
        yield (call.group, call.resource.partition("/")[0], "delete")
    for each in owners:
        if each.get("blockOwnerDeletion") and each["kind"] in BY_KIND:
            kind = BY_KIND[each["kind"]]
            yield (kind.group, f"{kind.plural}/finalizers", "update")


def each_goes_wrong(world: RealWorld) -> Judge:
    """Return a judge by which each write is refused as one that comes too late, and then lost."""
    judge = world.fault_each_write(CONFLICT, "lost", tries=2)

    def stricter(call: Call) -> Fault | None:
        fault = judge(call)
        return TAKEN if fault is CONFLICT and call.verb == "create" else fault

    return stricter


async def everything(world: RealWorld) -> None:
    """Do all that makes an operator do something of its own kind."""
    await declare_a_formation(world)
    await world.push("b2", PHASED)
    await world.settle()
    await scale(world, "hello-web", 3)
    await world.settle()
    await scale(world, "hello-web", 0)
    await world.configure("hello", {"A": "2"})
    await world.settle()
    await world.roll_back("hello", 2)
    await world.settle()
    await let_a_url_expire(world)
    await miss_what_happens(world)
    await end_a_session(world)
    await cancel_a_build(world)
    await declare_a_source(world)
    await world.push("b4", built({"worker": "work"}))
    await world.settle()
    nobody: Json = {"metadata": {"ownerReferences": None}}
    await world.cluster.patch(JOBS, "b4", b.NAMESPACE, nobody)
    await world.settle()


def status(obj: Json, field: str) -> object:
    return obj.get("status", {}).get(field)


async def scale(world: RealWorld, name: str, quantity: int) -> None:
    await world.cluster.patch(FORMATIONS, name, b.NAMESPACE, {"spec": {"quantity": quantity}})


async def end_a_session(world: RealWorld) -> None:
    """Let a one-off dyno run whose visitor has gone: its pod is stopped, and then it is removed."""
    world.kubelet.endless.add("run-2")
    spec = {"appRef": {"name": "hello"}, "command": ["sleep"], "keepSeconds": 1}
    await world.apply(DYNOS, "run-2", spec)
    await world.meets(DYNOS, "run-2", lambda each: status(each, "state") == "Up", "runs")
    gone = {"metadata": {"annotations": {"haikube.dev/session-until": "2026-01-01T00:00:00Z"}}}
    await world.cluster.patch(DYNOS, "run-2", b.NAMESPACE, gone)
    await world.until(lambda: is_gone(world, DYNOS, "run-2"), "the ended dyno is tidied away")


async def is_gone(world: RealWorld, kind: Resource, name: str) -> bool:
    found = (await world.cluster.list(kind, b.NAMESPACE)).items
    return name not in {each["metadata"]["name"] for each in found}


async def cancel_a_build(world: RealWorld) -> None:
    world.kubelet.endless.add("b3")
    await world.push("b3", WEB)
    await world.meets(BUILDS, "b3", lambda each: status(each, "result") == "Running", "runs")
    await world.cluster.patch(BUILDS, "b3", b.NAMESPACE, {"spec": {"cancel": True}})
    await world.settle()


async def miss_what_happens(world: RealWorld) -> None:
    """Change a node and a listener while no watch tells of it: the next comparison does."""
    world.api.hides = lambda call, line: call.resource in MISSED and tells("MODIFIED", line)
    node: Json = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "missed"}}
    await world.cluster.apply(NODES, node, manager="admin")
    marks = {labels.MANAGED_BY: labels.MANAGED_BY_HAIKUBE}
    metadata = {"name": "missed", "namespace": b.NAMESPACE, "labels": marks}
    listener = {"name": "x", "protocol": "HTTP", "port": 80}
    gateway = {"apiVersion": GATEWAYS.api_version, "kind": GATEWAYS.kind, "metadata": metadata}
    spec = {"gatewayClassName": "nobody", "listeners": [listener]}
    await world.cluster.apply(GATEWAYS, {**gateway, "spec": spec}, manager="admin")
    await world.rest()

    change = {"metadata": {"annotations": {"changed": "yes"}}}
    await world.cluster.patch(NODES, "missed", None, {"spec": {"unschedulable": True}})
    await world.cluster.patch(GATEWAYS, "missed", b.NAMESPACE, change)
    for right in (("", "nodes", "get"), (GATEWAYS.group, "gateways", "get")):
        await world.until(partial(has_asked, world, right), f"{right} is asked for")
    await world.cluster.delete(NODES, "missed")
    await world.cluster.delete(GATEWAYS, "missed", b.NAMESPACE)


async def has_asked(world: RealWorld, right: Right) -> bool:
    return right in world.api.rights


async def declare_a_formation(world: RealWorld) -> None:
    """Make a Formation as Git does: it says nothing of an owner."""
    metadata = {"name": "hello-worker", "namespace": b.NAMESPACE}
    spec = {"appRef": {"name": "hello"}, "processType": "worker", "quantity": 1}
    body = {"apiVersion": FORMATIONS.api_version, "kind": FORMATIONS.kind, "metadata": metadata}
    await world.cluster.create(FORMATIONS, {**body, "spec": spec})


async def let_a_url_expire(world: RealWorld) -> None:
    """Say of the URL of the slug that runs that its life is nearly over."""
    status = (await world.cluster.get(APPS, "hello", b.NAMESPACE))["status"]
    name = f"{status['currentRelease']['name']}-slug"
    soon = {"metadata": {"annotations": {labels.EXPIRES_AT: "2026-01-01T00:00:00Z"}}}
    await world.cluster.patch(SECRETS, name, b.NAMESPACE, soon)
    await world.settle()


async def declare_a_source(world: RealWorld) -> None:
    """Deploy by kubectl alone: the operator makes the build."""
    source = {"git": {"url": "https://example.com/a.git", "ref": "v1"}}
    await world.apply(APPS, "hello", {"source": source})
    await world.settle()


async def test_every_right_is_used_and_none_is_missing(around: Surroundings) -> None:
    async with real_world(around, **SHORT) as world:
        extra = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"ca-bundle.crt": ""}}
        metadata = {"name": "extra", "namespace": SYSTEM}
        await world.cluster.apply(CONFIG_MAPS, {**extra, "metadata": metadata}, manager="admin")
        world.api.judge = each_goes_wrong(world)
        await world.deployed()
        await everything(world)
        world.api.judge = lambda _: None  # events are written at the end of a pass
        await world.push("b5", WEB)
        await world.settle()

        assert not world.refused(), world.story()
        assert not world.operator.broken(), world.story()
        seen = used(world.api)
    assert sorted(granted() - seen) == [], "granted, and never asked for"
