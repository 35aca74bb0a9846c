"""Rights as they are used: what the operator is granted is what it does, verb by verb.

Workloads of every kind run on the cluster in memory, and each call of the operator is noted. That
it watches what it lists is kopf's part, and not seen here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import builders as b
import simulation
import stage
from haikube.cluster.errors import AlreadyExists, Conflict
from haikube.cluster.fake import FakeCluster
from haikube.model import labels
from haikube.model.resources import (
    APPS,
    BUILDS,
    DYNOS,
    FORMATIONS,
    GROUP,
    JOBS,
    OWN_KINDS,
    PODS,
    RELEASES,
    STACKS,
    Resource,
)
from manifests.built import one
from operator_steps import certify, name_issuer
from simulation import Simulation

Rights = set[tuple[str, str]]
"""(resource with its group, verb)."""

_VERBS = {
    "get": ("get",),
    "list": ("list", "watch"),
    "create": ("create",),
    "apply": ("create", "patch"),
    "patch": ("patch",),
    "delete": ("delete",),
}
_NOT_SEEN: Rights = {
    *((f"{each.plural}/finalizers.{GROUP}", "update") for each in OWN_KINDS if each.namespaced),
    ("formations.haikube.dev", "delete"),  # to give one its owner, where owners are enforced
    ("customresourcedefinitions.apiextensions.k8s.io", "get"),  # at its start
    ("namespaces", "get"),  # by the sweep
    ("nodes", "get"),  # where a comparison shows that a watch missed something
}
"""What an admission plug-in asks for, and parts that are no reconciling."""


def name(resource: Resource, sub: str = "") -> str:
    return ".".join(part for part in (resource.plural + sub, resource.group) if part)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> Rights:
    """Note what the operators of this test do."""
    noted: Rights = set()
    met: set[tuple[Resource, str]] = set()

    class Noting(simulation._Mortal):
        def __init__(self, cluster: FakeCluster, world: Simulation) -> None:
            super().__init__(cluster, world)
            self._wrote = self._note
            for verb in ("get", "list"):
                setattr(self, verb, self._noting(verb, getattr(cluster, verb)))

        def _note(self, resource: Resource, verb: str) -> None:
            """Note a write; of each sort the first finds that somebody else was faster."""
            if verb == "apply_status":
                noted.add((name(resource, "/status"), "patch"))
            else:
                noted.update((name(resource), each) for each in _VERBS[verb])
            if verb not in {"get", "list"} and (resource, verb) not in met:
                met.add((resource, verb))
                kind = AlreadyExists if verb == "create" else Conflict
                raise kind(409, kind.__name__, "somebody else was faster")

        def _noting(self, verb: str, call: Any) -> Any:
            async def noting(resource: Resource, *args: Any, **options: Any) -> Any:
                self._note(resource, verb)
                return await call(resource, *args, **options)

            return noting

    monkeypatch.setattr(simulation, "_Mortal", Noting)
    return noted


def built(*types: str) -> dict[str, Any]:
    listed = [{"name": each, "command": f"run {each}"} for each in types]
    slug = {"digest": b.DIGEST, "sizeBytes": 10}
    return {"ok": True, "slug": slug, "processTypes": listed, "buildpacks": [], "language": "Any"}


async def deploys(world: Simulation) -> None:
    """Push, scale up and down, configure, roll back, drop a process type, cancel."""
    await world.apply(STACKS, "debian-13", {"runImage": "run:1", "buildImage": "build:1"})
    await world.apply(APPS, "hello", {})
    await world.settle()
    await world.push("b1", built("web", "worker", "release"))
    await world.settle()
    for formation, quantity in (("web", 2), ("worker", 2), ("web", 1), ("worker", 1)):
        body = {"spec": {"quantity": quantity}}
        await world.cluster.patch(FORMATIONS, f"hello-{formation}", b.NAMESPACE, body)
        await world.settle()
    await world.configure("hello", {"A": "1"})
    await world.settle()
    await world.roll_back("hello", 2)
    await world.push("b2", built("worker"))
    await world.settle()
    nobody: dict[str, Any] = {"metadata": {"ownerReferences": None}}
    await world.cluster.patch(JOBS, "b2", b.NAMESPACE, nobody)
    await world.settle()


async def people(world: Simulation) -> None:
    """Make by hand what the operator adopts: a formation, a build, a release, one-off dynos."""
    app = {"appRef": {"name": "hello"}}
    owner = await world.cluster.get(APPS, "hello", b.NAMESPACE)
    source = b.archive(owner["metadata"]["uid"])
    world.results["by-hand"] = built("web")
    slug = {
        "key": f"slugs/{owner['metadata']['uid']}/x",
        "digest": b.DIGEST,
        "sizeBytes": 1,
        "processTypes": [{"name": "web", "command": "run web"}],
    }
    for kind, known, spec in (
        (FORMATIONS, "hello-queue", {**app, "processType": "queue"}),
        (BUILDS, "by-hand", {**app, "source": source}),
        (RELEASES, "hello-v90", {**app, "version": 90, "stack": "debian-13", "slug": slug}),
        (DYNOS, "run-1", {**app, "command": ["true"], "keepSeconds": 0}),
        (DYNOS, "run-2", {**app, "command": ["bash"], "attach": True}),
    ):
        metadata = {"name": known, "namespace": b.NAMESPACE}
        body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
        await world.cluster.create(kind, {**body, "spec": spec})
    await world.settle()
    over = {"metadata": {"annotations": {labels.SESSION_UNTIL: "2026-01-01T00:00:00Z"}}}
    await world.cluster.patch(DYNOS, "run-2", b.NAMESPACE, over)
    pod = await world.cluster.get(PODS, "run-1", b.NAMESPACE)
    await world._report(PODS, pod, simulation._container(b.ended(0)))
    await world.settle()


async def history(world: Simulation) -> None:
    """Declare source after source, cancel a build, and let a week go by."""
    for number in range(stage.settings().build_history + 2):
        name_ = f"app-{number}"
        world.results[name_] = built("web")
        git = {"url": "https://git.example/a.git", "ref": f"v{number}"}
        patch = {"spec": {"source": {"git": git}}}
        await world.cluster.patch(APPS, "hello", b.NAMESPACE, patch)
        await world.settle()
    await world.push("late", built("web"))
    await world._operate()
    await world.cluster.patch(BUILDS, "late", b.NAMESPACE, {"spec": {"cancel": True}})
    for _ in range(4):
        world.clock.advance(86_400 * 2)
        await world.settle()


async def secured(world: Simulation) -> None:
    """Serve a certificate, another one for one more host, and none."""
    await certify(world, "www.example.com")
    await certify(world, "*.example.com", "example.com")
    await world.cluster.patch(APPS, "hello", b.NAMESPACE, {"spec": {"certificates": []}})
    await world.settle()


async def certified(world: Simulation) -> None:
    """Have certificates made where there is an issuer, and none any more."""
    spec: dict[str, Any] = {
        "domains": [{"hostname": "www.example.com"}, {"hostname": "shop.example.com"}],
        "automaticCertificates": "Enabled",
    }
    without = {"domains": [], "automaticCertificates": "Disabled"}
    for each in (spec, {"domains": spec["domains"][:1]}, without):
        await world.cluster.patch(APPS, "hello", b.NAMESPACE, {"spec": each})
        await world.settle()


async def test_what_the_operator_does_is_what_it_may(
    used: Rights, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_issuer(monkeypatch)
    world = Simulation()
    await deploys(world)
    await secured(world)
    await certified(world)
    await people(world)
    await history(world)

    assert sorted(used - granted()) == []
    assert sorted(granted() - used - _NOT_SEEN) == []


def granted() -> Rights:
    role = one("overlays/local", "ClusterRole", "haikube-operator")
    beside = one("overlays/local", "Role", "haikube-certificates")
    return {*_granted(role), *_granted(beside)}


def _granted(role: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for plural in rule["resources"]:
                for verb in rule["verbs"]:
                    yield ".".join(part for part in (plural, group) if part), verb
