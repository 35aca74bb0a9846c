"""What people do by hand to what the operator keeps, and what nobody may lose by it."""

from __future__ import annotations

from typing import Any

import pytest

import builders as b
from comparison import differences
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.app import parse_app
from haikube.model.conditions import find
from haikube.model.resources import (
    APPS,
    BUILDS,
    DEPLOYMENTS,
    DYNOS,
    FORMATIONS,
    JOBS,
    PODS,
    RELEASES,
    SECRETS,
    Resource,
)
from haikube.plan.declared import declared_build_name
from operator_steps import PHASED, WEB, deployed
from simulation import Simulation


async def get(world: Simulation, kind: Resource, name: str) -> Json:
    return await world.cluster.get(kind, name, b.NAMESPACE)


async def ready(world: Simulation, kind: Resource = APPS, name: str = "hello") -> Json:
    return dict(find((await get(world, kind, name))["status"], "Ready"))


def versions(world: Simulation) -> dict[int, Any]:
    """Return the result of each release by its number."""
    found = (each for each in world._all(RELEASES) if each["spec"].get("version"))
    return {each["spec"]["version"]: each["status"]["result"] for each in found}


async def current(world: Simulation) -> Json:
    app = await get(world, APPS, "hello")
    return await get(world, RELEASES, app["status"]["currentRelease"]["name"])


async def delete(world: Simulation, kind: Resource, name: str) -> None:
    await world.cluster.delete(kind, name, b.NAMESPACE)
    await world.settle()


async def disown(world: Simulation, kind: Resource, name: str) -> None:
    nobody: Json = {"metadata": {"ownerReferences": None}}
    await world.cluster.patch(kind, name, b.NAMESPACE, nobody)


async def make_release(world: Simulation, version: int, **spec: Any) -> None:
    """Write an entry of the ledger down, as a client does that knows better."""
    name = f"hello-v{version}"
    body = {
        "apiVersion": RELEASES.api_version,
        "kind": RELEASES.kind,
        "metadata": {"name": name, "namespace": b.NAMESPACE},
        "spec": {
            "appRef": {"name": "hello"},
            "version": version,
            "configRef": {"name": name},
            "description": "mine",
            **spec,
        },
    }
    await world.cluster.create(RELEASES, body)
    await world.settle()


# Labels and owners


@pytest.mark.parametrize("key", [labels.APP, labels.APP_UID])
@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("text", [None, "other"])
async def test_a_release_without_its_labels_is_an_entry_of_the_ledger(
    key: str, version: int, text: str | None
) -> None:
    world = await deployed({"A": "1"})
    before = world.state()
    patch: Json = {"metadata": {"labels": {key: text}}}
    await world.cluster.patch(RELEASES, f"hello-v{version}", b.NAMESPACE, patch)
    await world.settle()

    changed = differences(world.state(), before)
    assert not [each for each in changed if labels.ADOPTED not in each]


async def test_the_snapshot_that_lost_its_owner_is_still_the_config_of_the_release() -> None:
    world = await deployed({"A": "1"})
    before = world.state()
    await disown(world, SECRETS, "hello-v3")
    await world.settle()

    assert not differences(world.state(), before)


async def test_what_lost_its_owner_goes_with_its_app_all_the_same() -> None:
    world = await deployed({"A": "1"})
    await world.push("b2", PHASED)
    await world.settle()
    for kind in (SECRETS, JOBS):
        for each in world._all(kind):
            if each["metadata"]["name"] != "hello-config":
                await disown(world, kind, each["metadata"]["name"])
    await world.settle()
    await delete(world, APPS, "hello")

    assert [each for each in world.state() if each != "pods"] == ["Stack debian-13"]


async def test_a_one_off_dyno_whose_pod_lost_its_owner_runs_on() -> None:
    world = await deployed()
    await world.apply(DYNOS, "run-1", {"appRef": {"name": "hello"}, "command": ["true"]})
    await world.settle()
    before = world.state()
    await disown(world, PODS, "run-1")
    await world.settle()

    assert not differences(world.state(), before)
    assert (await get(world, PODS, "run-1"))["metadata"]["ownerReferences"]


@pytest.mark.parametrize(("name", "job"), [("b2", "b2"), ("b2", "hello-v3-release")])
async def test_a_build_and_a_release_command_go_on_though_their_job_lost_its_owner(
    name: str, job: str
) -> None:
    wanted = await deployed()
    await wanted.push(name, PHASED)
    await wanted.settle()
    world = await deployed()
    await world.push(name, PHASED)
    while not world.cluster._state.of(JOBS).get((b.NAMESPACE, job)):
        await world._operate()
        await world._controllers()
    await world._operate()
    await disown(world, JOBS, job)
    await world.settle()

    assert not differences(world.state(), wanted.state())


async def test_what_has_neither_owner_nor_label_is_nobodys() -> None:
    """Else a Secret of somebody else's making would become the config of a release."""
    world = await deployed({"A": "1"})
    nobody: Json = {"metadata": {"ownerReferences": None, "labels": {labels.RELEASE: None}}}
    await world.cluster.patch(SECRETS, "hello-v3", b.NAMESPACE, nobody)
    await world.settle()

    assert (await current(world))["spec"]["description"] == "Restore config vars"


@pytest.mark.parametrize("quantity", [0, 4])
async def test_a_deleted_formation_comes_back_with_its_number_and_size(quantity: int) -> None:
    world = await deployed()
    wanted = {"quantity": quantity, "size": "standard-2x"}
    await world.cluster.patch(FORMATIONS, "hello-web", b.NAMESPACE, {"spec": wanted})
    await world.settle()
    await delete(world, FORMATIONS, "hello-web")

    found = (await get(world, FORMATIONS, "hello-web"))["spec"]
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize("gone", ["quantity", "size"])
async def test_what_leaves_the_manifest_of_a_formation_stays_as_it_runs(gone: str) -> None:
    world = await deployed()
    wanted = {"quantity": 4, "size": "standard-2x"}
    await world.cluster.patch(FORMATIONS, "hello-web", b.NAMESPACE, {"spec": wanted})
    await world.settle()
    written = len(world.cluster.writes)
    await world.cluster.patch(FORMATIONS, "hello-web", b.NAMESPACE, {"spec": {gone: None}})
    await world.settle()

    found = (await get(world, FORMATIONS, "hello-web"))["spec"]
    assert {key: found[key] for key in wanted} == wanted
    kinds = {each.resource for each in world.cluster.writes[written:]}
    assert DEPLOYMENTS not in kinds


# Releases


async def test_an_entry_without_code_takes_none_away() -> None:
    world = await deployed()
    await make_release(world, 3, rollbackOf=2)
    stray = await get(world, RELEASES, "hello-v3")

    assert find(stray["status"], "Ready")["reason"] == "NothingToRun"
    assert (await current(world))["spec"]["version"] == 2
    assert (await ready(world))["reason"] == "Serving"
    await world.push("b2", WEB)
    await world.settle()
    assert (await current(world))["spec"]["version"] == 4


async def test_what_was_refused_does_not_run_once_its_number_comes() -> None:
    world = await deployed()
    slug = (await get(world, RELEASES, "hello-v2"))["spec"]["slug"]
    await make_release(world, 4, slug=slug, stack="debian-13")
    for name in ("b2", "b3"):
        await world.push(name, WEB)
        await world.settle()

    assert versions(world) == {
        1: "Succeeded",
        2: "Succeeded",
        3: "Succeeded",
        4: "Failed",
        5: "Succeeded",
    }
    assert (await current(world))["spec"]["buildRef"] == {"name": "b3"}


async def test_an_app_whose_releases_were_all_deleted_runs_its_newest_build() -> None:
    world = await deployed()
    await world.push("b2", WEB)
    await world.settle()
    for version in (1, 2, 3):
        await world.cluster.delete(RELEASES, f"hello-v{version}", b.NAMESPACE)
    await world.settle()

    assert min(versions(world)) == 4
    built = (await get(world, BUILDS, "b2"))["status"]["slug"]
    assert (await current(world))["spec"]["slug"]["key"] == built["key"]
    assert (await ready(world))["reason"] == "Serving"


async def declare(world: Simulation, ref: str) -> None:
    """Declare a source, as Git does."""
    source = {"git": {"url": "https://git.example/a.git", "ref": ref}}
    app = await get(world, APPS, "hello")
    world.results[declared_build_name(parse_app({**app, "spec": {"source": source}}))] = WEB
    await world.cluster.patch(APPS, "hello", b.NAMESPACE, {"spec": {"source": source}})
    await world.settle()


async def test_a_rollback_of_a_declared_source_holds_until_another_is_declared() -> None:
    world = await deployed()
    for ref in ("one", "two"):
        await declare(world, ref)
    await world.roll_back("hello", 3)
    await world.settle()
    await world.configure("hello", {"A": "1"})
    await world.settle()
    first, made = await get(world, RELEASES, "hello-v3"), await current(world)

    assert (made["spec"]["version"], made["spec"]["slug"]) == (6, first["spec"]["slug"])
    await declare(world, "one")
    assert (await current(world))["spec"]["version"] == 7
    await declare(world, "two")
    second = await get(world, RELEASES, "hello-v4")
    assert (await current(world))["spec"]["slug"] == second["spec"]["slug"]


async def test_a_rollback_to_a_release_whose_config_is_lost_is_refused() -> None:
    world = await deployed()
    await world.push("b2", WEB)
    await world.settle()
    await delete(world, SECRETS, "hello-v2")
    await world.roll_back("hello", 2)
    await world.settle()

    (request,) = (each for each in world._all(RELEASES) if "version" not in each["spec"])
    assert find(request["status"], "Ready")["reason"] == "SnapshotMissing"
    assert (await current(world))["spec"]["version"] == 3
    assert max(versions(world)) == 3


async def test_a_request_that_names_nothing_is_told_what_to_name() -> None:
    world = await deployed()
    body = {
        "apiVersion": RELEASES.api_version,
        "kind": RELEASES.kind,
        "metadata": {"name": "back", "namespace": b.NAMESPACE},
    }
    await world.cluster.create(RELEASES, {**body, "spec": {"appRef": {"name": "hello"}}})
    await world.settle()

    assert "name rollbackOf" in (await ready(world, RELEASES, "back"))["message"]


# Builds


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_build_made_anew_under_its_old_name_is_released(*, at_once: bool) -> None:
    world = await deployed()
    await world.cluster.delete(BUILDS, "b1", b.NAMESPACE)
    if not at_once:
        await world.settle()
    await world.push("b1", PHASED)
    await world.settle()

    assert (await current(world))["spec"]["version"] == 3
    assert (await get(world, BUILDS, "b1"))["status"]["release"]["version"] == 3
    assert (await get(world, RELEASES, "hello-v2"))["status"]["result"] == "Succeeded"


# Config


async def test_who_pushes_while_the_config_is_gone_is_told_so() -> None:
    world = await deployed({"A": "1"})
    await delete(world, SECRETS, "hello-config")
    assert (await ready(world))["reason"] == "Serving"

    await world.push("b2", WEB)
    await world.settle()
    said = await ready(world)
    assert (said["status"], said["reason"]) == ("False", "ConfigSecretMissing")


async def test_a_rollback_needs_no_config_but_its_own() -> None:
    world = await deployed({"A": "1"})
    await delete(world, SECRETS, "hello-config")
    await world.roll_back("hello", 3)
    await world.settle()

    made = await current(world)
    assert (made["spec"]["version"], made["spec"]["rollbackOf"]) == (4, 3)
    assert (await get(world, SECRETS, "hello-v4"))["data"] == b.encoded({"A": "1"})


async def test_the_lost_config_of_what_runs_is_replaced_also_beside_a_newer_failure() -> None:
    world = await deployed({"A": "1"})
    world.results["hello-v4-release"] = {"ok": False}
    await world.push("b2", PHASED)
    await world.settle()
    assert versions(world)[4] == "Failed"
    await delete(world, SECRETS, "hello-v3")

    made = await current(world)
    assert made["spec"]["version"] == 5
    assert made["spec"]["slug"] == (await get(world, RELEASES, "hello-v3"))["spec"]["slug"]
    assert (await get(world, SECRETS, "hello-v5"))["data"] == b.encoded({"A": "1"})
