"""What may not restart dynos, and what may only a few at a time, on a real API server."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import builders as b
from faults.forks import TEMPLATES
from faults.real import RealWorld, Surroundings, real_world
from faults.workloads import WORKLOADS
from haikube.cluster.port import Json
from haikube.model.resources import APPS, DEPLOYMENTS, PODS, STACKS
from haikube.render import renderer
from operator_steps import WEB

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

APPS_AT_ONCE = 6
TURNS = 2
NEW = {"runImage": "run:2", "buildImage": "build:1"}


async def dynos(world: RealWorld) -> dict[str, Json]:
    """Return the pods that run, by uid."""
    found = (await world.cluster.list(PODS, b.NAMESPACE, labels="haikube.dev/component=dyno")).items
    return {each["metadata"]["uid"]: each for each in found}


def newer_templates(folder: Path) -> Path:
    """Return templates by which every dyno gets another environment variable."""
    shutil.copytree(renderer.TEMPLATES, folder, dirs_exist_ok=True)
    template = folder / "dyno-pod.yaml.j2"
    before = template.read_text()
    more = "(env | list + [{'name': 'NEWER', 'value': '1'}])"
    after = before.replace("env: {{ env |", f"env: {{{{ {more} |", 1)
    assert after != before
    template.write_text(after)
    return folder


def has_newer(pod: Json) -> bool:
    return "NEWER" in {each["name"] for each in pod["spec"]["containers"][0]["env"]}


async def test_a_newer_operator_restarts_no_dyno_until_its_next_release(
    around: Surroundings, tmp_path: Path
) -> None:
    async with real_world(around) as world:
        await world.deployed()
        before = await dynos(world)
        world.operator.settings[TEMPLATES] = str(newer_templates(tmp_path))
        await world.operator.kill()
        await world.settle()
        await WORKLOADS["scale"](world)
        await world.settle()
        scaled = await dynos(world)

        assert before.keys() < scaled.keys(), "the dyno that ran runs on beside new ones"
        assert not any(map(has_newer, scaled.values())), "all dynos of a release are alike"

        await WORKLOADS["config change"](world)
        await world.settle()
        released = await dynos(world)
        assert not released.keys() & scaled.keys()
        assert all(map(has_newer, released.values()))


async def images(world: RealWorld) -> list[str]:
    """Return the image of each app's dynos, as its Deployment wants it."""
    found = (await world.cluster.list(DEPLOYMENTS, b.NAMESPACE)).items
    return [each["spec"]["template"]["spec"]["containers"][0]["image"] for each in found]


async def test_a_new_image_of_a_stack_rolls_a_few_apps_at_a_time(around: Surroundings) -> None:
    async with real_world(around, HAIKUBE_STACK_ROLLOUTS=str(TURNS)) as world:
        await world.apply(STACKS, "debian-13", {"runImage": "run:1", "buildImage": "build:1"})
        for number in range(APPS_AT_ONCE):
            await world.apply(APPS, f"app-{number}", {})
            await world.push(f"b-{number}", WEB, f"app-{number}")
        await world.settle()
        assert await images(world) == ["run:1"] * APPS_AT_ONCE

        world.kubelet.slow_image = "run:2"
        await world.apply(STACKS, "debian-13", NEW)

        async def some_move() -> bool:
            return (await images(world)).count("run:2") == TURNS

        await world.until(some_move, f"{TURNS} apps move")
        await world.rest()
        assert (await images(world)).count("run:2") == TURNS, "the others wait until those are up"

        await world.kubelet.catch_up()

        async def all_moved() -> bool:
            return await images(world) == ["run:2"] * APPS_AT_ONCE

        await world.until(all_moved, "all apps have moved")
        assert not world.operator.broken(), world.story()
