"""A new image of a stack reaches all dynos, a few process types at a time."""

from __future__ import annotations

from typing import Any

import pytest

import builders as b
from haikube.model import labels
from haikube.model.deployment import parse_deployment
from haikube.model.stack import parse_stack
from haikube.plan.rollout import turns
from haikube.plan.stack import StackView
from stage import plan

OLD, NEW = "run/old:1", "run/debian-13:1"
BASE = (b.app(), b.stack(), b.release())


def deployment(name: str = "x", image: str = OLD, **more: Any) -> b.Raw:
    found = b.deployment(**more)
    found["metadata"]["annotations"] = {labels.IMAGE: image, labels.STACK: "debian-13"}
    found["metadata"]["uid"] = f"uid-{name}"
    return found


def moving(*deployments: b.Raw, at_once: int = 2) -> set[str]:
    found = tuple(parse_deployment(each) for each in deployments)
    view = StackView(parse_stack(b.stack()), apps=1, deployments=found)
    return {each.removeprefix("uid-") for each in turns(view, at_once)}


def test_a_few_move_at_a_time() -> None:
    assert moving(*(deployment(each) for each in "abcd")) == {"a", "b"}


def test_those_that_are_not_up_yet_hold_up_the_others() -> None:
    starting = deployment("a", NEW, ready=0)

    assert moving(starting, deployment("b"), deployment("c")) == {"b"}
    assert moving(starting, deployment("b", NEW, ready=0), deployment("c")) == set()


def test_those_that_are_up_make_room() -> None:
    assert moving(deployment("a", NEW), deployment("b"), deployment("c")) == {"b", "c"}


def test_those_without_dynos_do_not_wait() -> None:
    idle = [deployment(each, replicas=0) for each in "abcd"]

    assert moving(*idle) == set("abcd")


async def image(*others: b.Raw) -> Any:
    row = await plan(b.formation(), b.app(), b.stack(), *others)
    body = row.body("apply Deployment hello-web")
    return body["spec"]["template"]["spec"]["containers"][0]["image"]


async def test_dynos_keep_the_image_they_run_on_until_their_turn() -> None:
    assert await image(b.release(), deployment()) == OLD


async def test_a_new_release_runs_on_the_new_image() -> None:
    assert await image(b.release(1), b.release(2), deployment()) == NEW


async def test_a_deployment_that_is_made_now_runs_on_the_new_image() -> None:
    assert await image(b.release()) == NEW


@pytest.mark.parametrize(
    ("changes", "rolls"),
    [
        ({}, False),
        ({"metadata": {"annotations": {labels.RESTARTED_AT: "2026-01-01T00:00:00Z"}}}, True),
        ({"size": "standard-2x"}, True),
        ({"quantity": 5}, False),
    ],
)
async def test_only_what_a_dyno_is_made_of_rolls_it(
    changes: dict[str, Any], *, rolls: bool
) -> None:
    several = {"quantity": 2}  # a dyno that is alone is marked so, which rolls none either
    kept = {key: each for key, each in changes.items() if key != "metadata"}
    changed = b.formation(**{**several, **kept})
    changed["metadata"] |= changes.get("metadata", {})
    before = (await plan(b.formation(**several), *BASE)).write("apply Deployment hello-web")
    after = (await plan(changed, *BASE)).write("apply Deployment hello-web")

    assert (before.revision != after.revision) is rolls
    same = before.body["spec"]["template"] == after.body["spec"]["template"]
    assert same is not rolls
