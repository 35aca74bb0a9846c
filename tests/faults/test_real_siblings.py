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
    BUDGETS,
    BUILDS,
    DEPLOYMENTS,
    FORMATIONS,
    HTTP_ROUTES,
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

_REVISION = "deployment.kubernetes.io/revision"
"""It begins anew with a Deployment that was made again."""


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
        assert not [each for each in changed if _REVISION not in each]


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
