"""What people do to objects by hand, on a real API server: the end is the one without it."""

from __future__ import annotations

import asyncio

import pytest

import builders as b
from comparison import differences
from faults.real import RealWorld, Surroundings, real_world
from faults.test_real import ends_like, undisturbed
from faults.workloads import WORKLOADS, create_again, scale
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import (
    APPS,
    BUDGETS,
    BUILDS,
    DEPLOYMENTS,
    FORMATIONS,
    HTTP_ROUTES,
    JOBS,
    RELEASES,
    SECRETS,
    SERVICES,
    Resource,
)
from operator_steps import PHASED, WEB

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

CHILDREN = (
    (DEPLOYMENTS, "hello-web", labels.MANAGED_BY),
    (SERVICES, "hello-web", labels.MANAGED_BY),
    (HTTP_ROUTES, "hello-web", labels.MANAGED_BY),
)
"""What the operator made for an app with one dyno, and the label by which it is watched."""

_ANEW = ("deployment.kubernetes.io/revision", "spec/template/metadata/annotations")
"""What begins anew with a Deployment that was made again, or follows from how many it had then."""


async def relabel(
    world: RealWorld, kind: Resource, name: str, label: str, value: str | None
) -> None:
    body: Json = {"metadata": {"labels": {label: value}}}
    await world.cluster.patch(kind, name, b.NAMESPACE, body)


@pytest.mark.parametrize("back", [True, False], ids=["put back", "gone"])
async def test_labels_are_taken_off_children(around: Surroundings, *, back: bool) -> None:
    """A watch with a selector reports that as deleted."""
    wanted, _ = await undisturbed(around, "scale")
    async with real_world(around) as world:
        await world.deployed()
        for kind, name, label in CHILDREN:
            await relabel(world, kind, name, label, None)
        if back:
            await asyncio.sleep(0.5)
            for kind, name, label in CHILDREN:
                await relabel(world, kind, name, label, labels.MANAGED_BY_HAIKUBE)
        await scale(world)
        await ends_like(world, (wanted, None))
        await relabel(world, BUDGETS, "hello-web", labels.MANAGED_BY, None)
        await world.settle()
        assert not differences(await world.state(), wanted), "the budget's label is back"


async def test_the_label_of_a_config_is_taken_off_and_put_back(around: Surroundings) -> None:
    wanted = await undisturbed(around, "config change")
    async with real_world(around) as world:
        await world.deployed()
        await relabel(world, SECRETS, "hello-config", labels.APP, None)
        await asyncio.sleep(1)
        await relabel(world, SECRETS, "hello-config", labels.APP, "hello")
        await WORKLOADS["config change"](world)
        await ends_like(world, wanted)


async def test_pruned_formations_come_back_as_they_were(around: Surroundings) -> None:
    async with real_world(around) as world:
        await world.deployed()
        await world.push("b2", PHASED)
        await world.settle()
        for name in ("hello-web", "hello-worker"):
            wish = {"spec": {"quantity": 2}}
            await world.cluster.patch(FORMATIONS, name, b.NAMESPACE, wish)
        await world.settle()
        before = await world.state()
        for name in ("hello-web", "hello-worker"):
            await world.cluster.delete(FORMATIONS, name, b.NAMESPACE)
        await world.settle()
        changed = differences(await world.state(), before)
        assert not [each for each in changed if not any(part in each for part in _ANEW)]


def _has_begun(build: Json) -> bool:
    return build.get("status", {}).get("result", "Pending") != "Pending"


@pytest.mark.parametrize("result", [WEB, PHASED], ids=["build runs", "release command runs"])
async def test_an_app_is_made_again_in_the_middle_of_its_deploy(
    around: Surroundings, result: Json
) -> None:
    wanted, _ = await undisturbed(around, "create again")
    async with real_world(around) as world:
        await world.deployed()
        running = "old" if result is WEB else "hello-v3-release"
        world.kubelet.endless.add(running)
        await world.push("old", result)
        await world.meets(BUILDS, "old", _has_begun, "runs")
        await asyncio.sleep(1)
        await create_again(world)
        await ends_like(world, (wanted, None))


OWNED = (
    (DEPLOYMENTS, "hello-web"),
    (SERVICES, "hello-web"),
    (HTTP_ROUTES, "hello-web"),
    (FORMATIONS, "hello-web"),
    (RELEASES, "hello-v2"),
    (BUILDS, "b1"),
)


async def test_owners_are_taken_off(around: Surroundings) -> None:
    """Else what is left behind would outlive its app."""
    wanted = await undisturbed(around, "delete")
    async with real_world(around) as world:
        await world.deployed()
        before = await world.state()
        for kind, name in OWNED:
            nobody: Json = {"metadata": {"ownerReferences": None}}
            await world.cluster.patch(kind, name, b.NAMESPACE, nobody)
        await world.settle()
        changed = differences(await world.state(), before)
        assert not [each for each in changed if labels.ADOPTED not in each]
        await WORKLOADS["delete"](world)
        await ends_like(world, (wanted[0], None))


async def test_a_release_command_that_hangs_is_ended_and_its_fix_serves(
    around: Surroundings,
) -> None:
    async with real_world(around) as world:
        await world.deployed()
        world.kubelet.endless.add("hello-v3-release")
        await world.push("b2", PHASED)
        await world.until(lambda: is_at(world, 3), "v3 is under way")
        await world.push("b3", WEB)
        await world.until(lambda: is_at(world, 4), "v4 is there and waits")
        await world.rest()
        state = await world.state()
        assert "haikube.dev/stop" in str(state["Release hello-v4"]["status"])

        stop: Json = {"metadata": {"annotations": {"haikube.dev/stop": "yes"}}}
        await world.cluster.patch(RELEASES, "hello-v3", b.NAMESPACE, stop)
        await world.settle()
        state = await world.state()
        assert state["Release hello-v3"]["status"]["result"] == "Failed"
        assert state["App hello"]["status"]["currentRelease"]["version"] == 4
        assert state["App hello"]["status"]["conditions"][0]["status"] == "True"


async def is_at(world: RealWorld, version: int) -> bool:
    """Tell whether a release of this number exists."""
    found = (await world.cluster.list(RELEASES, b.NAMESPACE)).items
    return version in {each["spec"].get("version") for each in found}


async def test_a_build_goes_on_though_the_label_of_its_job_is_gone(around: Surroundings) -> None:
    wanted = await undisturbed(around, "deploy")
    async with real_world(around) as world:
        await world.deployed()
        world.kubelet.endless.add("b2")
        await world.push("b2", WEB)
        await world.meets(BUILDS, "b2", _has_begun, "runs")
        await relabel(world, JOBS, "b2", labels.MANAGED_BY, None)
        await world.rest()
        await relabel(world, JOBS, "b2", labels.MANAGED_BY, labels.MANAGED_BY_HAIKUBE)
        world.kubelet.endless.clear()
        await world.kubelet.catch_up()
        await ends_like(world, wanted)


async def test_what_an_app_left_behind_is_named_and_nothing_is_taken_over(
    around: Surroundings,
) -> None:
    """After kubectl delete --cascade=orphan everything is there, and nobody's."""
    wanted, _ = await undisturbed(around, "create again")
    async with real_world(around) as world:
        await world.deployed()
        await world.cluster.delete(APPS, "hello", b.NAMESPACE, propagation="Orphan")
        await world.settle()
        await world.apply(APPS, "hello", {})
        await world.meets(APPS, "hello", _names_its_config, "says what is in its way")

        await world.clear(RELEASES, BUILDS, FORMATIONS, SECRETS)
        await world.until(lambda: is_at(world, 1), "the new app has its first release")
        await world.push("b2", WEB)
        await ends_like(world, (wanted, None))


def _names_its_config(app: Json) -> bool:
    ready = app.get("status", {}).get("conditions", [{}])[0]
    return ready.get("reason") == "NameTaken" and "hello-config" in ready["message"]
