"""Whose is it? Labels taken off, apps made again under their name, objects that people made."""

from __future__ import annotations

from typing import Any

import pytest

import builders as b
from comparison import differences
from haikube.cluster.port import Json, Listing
from haikube.engine.change import Change
from haikube.engine.worker import Key
from haikube.model import labels
from haikube.model.conditions import find
from haikube.model.resources import (
    APPS,
    DEPLOYMENTS,
    DYNOS,
    FORMATIONS,
    JOBS,
    PODS,
    RELEASES,
    SECRETS,
    STACKS,
    Resource,
)
from operator_steps import PHASED, WEB, deployed
from simulation import Simulation

FOUND_BY = (labels.APP, labels.APP_UID, labels.COMPONENT)
HELLO = Key("App", b.NAMESPACE, "hello")


async def ready(world: Simulation) -> tuple[str, str]:
    app = await world.cluster.get(APPS, "hello", b.NAMESPACE)
    found = find(app["status"], "Ready")
    return found["status"], found["reason"]


async def named(world: Simulation, kind: Resource) -> list[str]:
    return [each["metadata"]["name"] for each in (await world.cluster.list(kind)).items]


@pytest.mark.parametrize(
    ("kind", "name", "label"),
    [
        (DEPLOYMENTS, "hello-web", labels.MANAGED_BY),
        (SECRETS, "hello-config", labels.APP),
    ],
)
async def test_a_label_taken_off_and_put_back_blinds_nobody(
    kind: Resource, name: str, label: str
) -> None:
    """A watch with a selector reports that as deleted and added."""
    world = await deployed()
    assert world.operator is not None
    before = await world.cluster.get(kind, name, b.NAMESPACE)
    value = before["metadata"]["labels"][label]
    off: Json = {"metadata": {"labels": {label: None}}}
    gone = await world.cluster.patch(kind, name, b.NAMESPACE, off)
    world.operator.store.put(kind, "DELETED", gone)
    back: Json = {"metadata": {"labels": {label: value}}}
    world.operator.store.put(
        kind, "ADDED", await world.cluster.patch(kind, name, b.NAMESPACE, back)
    )
    scale = {"spec": {"quantity": 0}}
    await world.cluster.patch(FORMATIONS, "hello-web", b.NAMESPACE, scale)
    await world.settle()
    found = await world.cluster.get(DEPLOYMENTS, "hello-web", b.NAMESPACE)

    assert found["spec"]["replicas"] == 0
    assert await ready(world) == ("True", "Serving")


@pytest.mark.parametrize(
    ("kind", "name", "label"),
    [
        (SECRETS, "hello-config", labels.APP),
        *((SECRETS, "hello-v2", each) for each in FOUND_BY),
        *((SECRETS, "hello-v2-slug", each) for each in FOUND_BY),
        *((DEPLOYMENTS, "hello-web", each) for each in (labels.MANAGED_BY, *FOUND_BY)),
    ],
)
async def test_a_label_taken_off_for_good_is_put_back_and_nothing_else_happens(
    kind: Resource, name: str, label: str
) -> None:
    world = await deployed()
    before = world.state()
    await _unmark(world, kind, name, label)
    await world.settle()
    world.clock.advance(60)
    await world.settle()

    assert differences(world.state(), before) == []


@pytest.mark.parametrize("label", [labels.APP, labels.MANAGED_BY])
@pytest.mark.parametrize("kind", [JOBS, PODS])
async def test_a_build_whose_job_or_pod_lost_a_label_goes_on(kind: Resource, label: str) -> None:
    undisturbed = await deployed()
    world = Simulation()
    await world.apply(STACKS, "debian-13", {"runImage": "run:1", "buildImage": "build:1"})
    await world.apply(APPS, "hello", {})
    await world.settle()
    await world.push("b1", WEB)
    await _until_there(world, kind)
    await world._operate()
    (name,) = await named(world, kind)
    await _unmark(world, kind, name, label)
    await world.settle()

    assert differences(world.state(), undisturbed.state()) == []


async def _until_there(world: Simulation, kind: Resource) -> None:
    for _ in range(50):
        if await named(world, kind):
            return
        await world._operate()
        await world._controllers()
    raise AssertionError(f"there is no {kind.kind}")


async def _unmark(world: Simulation, kind: Resource, name: str, label: str) -> None:
    off: Json = {"metadata": {"labels": {label: None}}}
    await world.cluster.patch(kind, name, b.NAMESPACE, off)


async def test_an_app_made_again_while_the_old_one_is_collected_begins_anew() -> None:
    world = await deployed()
    await _replace_app(world)
    for _ in range(6):
        await world._operate()
    assert (await world.cluster.get(APPS, "hello", b.NAMESPACE))["status"].get("web") is None

    await world.settle()
    world.clock.advance(600)
    await world.settle()
    assert await named(world, RELEASES) == ["hello-v1"]
    assert await named(world, SECRETS) == ["hello-config", "hello-v1"]

    await world.push("b9", WEB)
    await world.settle()
    assert await ready(world) == ("True", "Serving")
    assert await named(world, RELEASES) == ["hello-v1", "hello-v2"]


async def test_a_formation_of_git_outlives_its_app() -> None:
    world = Simulation()
    await world.apply(STACKS, "debian-13", {"runImage": "run:1", "buildImage": "build:1"})
    await world.apply(APPS, "hello", {})
    await _apply_bare(world, FORMATIONS, "hello-web", processType="web", quantity=3)
    await world.settle()
    await world.push("b1", WEB)
    await world.settle()

    await _replace_app(world)
    await world._operate()
    await world.settle()
    found = await world.cluster.get(FORMATIONS, "hello-web", b.NAMESPACE)
    app = await world.cluster.get(APPS, "hello", b.NAMESPACE)

    assert found["spec"]["quantity"] == 3
    assert found["metadata"]["ownerReferences"][0]["uid"] == app["metadata"]["uid"]


async def test_what_people_made_goes_with_the_app() -> None:
    world = await deployed()
    await _apply_bare(world, DYNOS, "migrate-1", command=["true"])
    await world.roll_back("hello", 1)
    await world.settle()
    await world.cluster.delete(APPS, "hello", b.NAMESPACE)
    await world.settle()

    assert [each for each in world.state() if each != "pods"] == ["Stack debian-13"]


async def test_a_made_up_version_neither_ends_the_ledger_nor_runs() -> None:
    world = await deployed()
    slug = (await world.cluster.get(RELEASES, "hello-v2", b.NAMESPACE))["spec"]["slug"]
    given = {"version": 999_999_999, "slug": slug, "stack": "debian-13", "description": "mine"}
    await _apply_bare(world, RELEASES, "hello-v999999999", **given)
    await world.configure("hello", {"A": "2"})
    await world.settle()
    stray = await world.cluster.get(RELEASES, "hello-v999999999", b.NAMESPACE)

    assert find(stray["status"], "Ready")["reason"] == "VersionNotNext"
    assert "the next one is v4" in find(stray["status"], "Ready")["message"]
    assert await named(world, RELEASES) == [
        "hello-v1",
        "hello-v2",
        "hello-v3",
        "hello-v999999999",
    ]


async def test_the_number_of_a_deleted_release_is_not_given_again() -> None:
    world = await deployed()
    await world.configure("hello", {"A": "2"})
    await world.settle()
    await world.cluster.delete(RELEASES, "hello-v3", b.NAMESPACE)
    await world.settle()
    await world.configure("hello", {"A": "3"})
    await world.settle()

    assert await named(world, RELEASES) == ["hello-v1", "hello-v2", "hello-v4", "hello-v5"]


async def test_a_rollback_never_takes_the_config_of_today() -> None:
    """The operator dies between a Release and its snapshot, and the config changes meanwhile."""
    world = await deployed({"A": "1"})
    await world.configure("hello", {"A": "2"})
    await world.settle()
    await world.roll_back("hello", 3)
    world.faults[world.writes + 1] = "after"
    await world._operate()
    await world.configure("hello", {"A": "3"})
    await world.settle()
    found = {
        each["metadata"]["name"]: each["data"]
        for each in (await world.cluster.list(SECRETS)).items
        if each["metadata"]["labels"].get(labels.COMPONENT) == "config-snapshot"
    }

    assert found["hello-v5"] == b.encoded({"A": "1"})
    assert found["hello-v6"] == b.encoded({"A": "3"})


async def test_a_snapshot_not_heard_of_yet_makes_no_release() -> None:
    """A new operator hears of v3 before it hears of the config that v3 runs with."""
    world = await deployed()
    before = await world.picture()
    await world.push("b2", WEB)
    await world.settle()
    world.outdated = {**await world.picture(), SECRETS: before[SECRETS]}
    await world.start()
    await world.settle()

    assert await named(world, RELEASES) == ["hello-v1", "hello-v2", "hello-v3"]


async def test_releases_not_heard_of_yet_begin_no_ledger_anew() -> None:
    world = await deployed()
    now = await world.picture()
    world.outdated = {**now, RELEASES: Listing((), now[RELEASES].resource_version)}
    await world.start()
    await world.settle()

    assert await named(world, RELEASES) == ["hello-v1", "hello-v2"]


async def test_a_pod_not_heard_of_yet_loses_no_dyno() -> None:
    world = await deployed()
    before = await world.picture()
    await world.apply(DYNOS, "run-1", {"appRef": {"name": "hello"}, "command": ["true"]})
    await world.settle()
    world.outdated = {**await world.picture(), PODS: before[PODS]}
    await world.start()
    await world.settle()

    assert (await world.cluster.get(DYNOS, "run-1", b.NAMESPACE))["status"]["state"] == "Starting"


@pytest.mark.parametrize("kind", [DEPLOYMENTS, SECRETS])
async def test_a_child_that_loses_its_owner_or_its_app_wakes_the_app(kind: Resource) -> None:
    world = await deployed()
    assert world.operator is not None
    name = {DEPLOYMENTS: "hello-web", SECRETS: "hello-config"}[kind]
    before: Any = world.operator.store.get(kind, b.NAMESPACE, name)
    bare = {key: each for key, each in before["metadata"].items() if key != "ownerReferences"}
    moved = {**before["metadata"], "labels": {**before["metadata"]["labels"], labels.APP: "other"}}
    routes = world.operator._routes

    assert HELLO in routes.own(Change(kind, before, {**before, "metadata": bare}))
    assert HELLO in routes.own(Change(kind, before, {**before, "metadata": moved}))


async def _replace_app(world: Simulation) -> None:
    """Delete the app and make it again before the garbage collector comes round."""
    state = world.cluster._state
    collect = state._collect
    state._collect = lambda *_, **__: None  # type: ignore[method-assign]  # it is late
    await world.cluster.delete(APPS, "hello", b.NAMESPACE)
    await world.apply(APPS, "hello", {})
    state._collect = collect  # type: ignore[method-assign]  # now it comes


async def _apply_bare(world: Simulation, kind: Resource, name: str, **spec: Any) -> None:
    """Apply an object as kubectl does: without owner and labels."""
    metadata = {"name": name, "namespace": b.NAMESPACE}
    body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    wanted = {"appRef": {"name": "hello"}, **spec}
    await world.cluster.apply(kind, {**body, "spec": wanted}, manager="kubectl")


async def test_a_release_said_to_be_pending_again_leaves_one_current() -> None:
    """The last words of a leader that stood still come after those of its successor."""
    world = await deployed()
    await world.push("b2", PHASED)
    await world.settle()
    live = await world.cluster.get(RELEASES, "hello-v3", b.NAMESPACE)
    body = {key: live[key] for key in ("apiVersion", "kind")}
    late = {**live["status"], "result": "Pending", "current": False}
    named_so = {"name": "hello-v3", "namespace": b.NAMESPACE}
    await world.cluster.apply_status(
        RELEASES, {**body, "metadata": named_so, "status": late}, manager="haikube-operator"
    )
    await world.settle()
    releases = (await world.cluster.list(RELEASES)).items

    assert [each["metadata"]["name"] for each in releases if each["status"]["current"]] == [
        "hello-v3"
    ]


async def test_a_config_not_heard_of_yet_makes_no_release() -> None:
    """A new operator knows the config of before, and the release of the config of now."""
    world = await deployed({"A": "1"})
    old = await world.cluster.get(SECRETS, "hello-config", b.NAMESPACE)
    await world.configure("hello", {"A": "2"})
    await world.settle()
    now = await world.picture()
    secrets = now[SECRETS]
    kept = [each for each in secrets.items if each["metadata"]["name"] != "hello-config"]
    world.outdated = {**now, SECRETS: Listing((*kept, old), secrets.resource_version)}
    await world.start()
    await world.settle()

    assert await named(world, RELEASES) == [f"hello-v{n}" for n in range(1, 5)]
