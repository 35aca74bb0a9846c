"""A web dyno that is alone hands over before it leaves its node, and a drain always ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as b
from haikube.model import labels
from haikube.model.node import parse_node
from haikube.model.times import format_time
from stage import NOW, Row, plan

BASE = (b.app(), b.stack(), b.release())
BUDGET = "apply PodDisruptionBudget hello-web"
DEPLOYMENT = "apply Deployment hello-web"
PATIENCE = 180
BEGAN = format_time(NOW)
CORDONED = {"unschedulable": True}


def taint(key: str, effect: str = "NoSchedule") -> b.Raw:
    return {"taints": [{"key": key, "effect": effect}]}


def dyno(name: str = "p", *, node: str = "n1", moved: str = "", **extra: Any) -> b.Raw:
    made = b.pod(name, marks=b.dyno_marks(), ready=True, **extra)
    notes = {labels.MOVED_AT: moved} if moved else {}
    return {
        **made,
        "metadata": {**made["metadata"], "annotations": notes},
        "spec": {"nodeName": node},
    }


def deployment(moved: str = "") -> b.Raw:
    made = b.deployment()
    notes = {labels.MOVED_AT: moved} if moved else {}
    return {**made, "metadata": {**made["metadata"], "annotations": notes}}


def moved(row: Row) -> str:
    """Return the mark that new dynos get."""
    meta = row.body(DEPLOYMENT)["spec"]["template"]["metadata"]
    found = meta.get("annotations", {}).get(labels.MOVED_AT, "")
    assert row.body(DEPLOYMENT)["metadata"].get("annotations", {}).get(labels.MOVED_AT, "") == found
    return str(found)


def budget(row: Row) -> int | None:
    """Return how many dynos a drain may take, None where there is no budget."""
    if BUDGET not in row.writes:
        return None
    return int(row.body(BUDGET)["spec"]["maxUnavailable"])


@pytest.mark.parametrize(
    ("spec", "leaving"),
    [
        ({}, False),
        (CORDONED, True),
        (taint("karpenter.sh/disrupted"), True),
        (taint("ToBeDeletedByClusterAutoscaler"), True),
        (taint("gone", "NoExecute"), True),
        (taint("DeletionCandidateOfClusterAutoscaler", "PreferNoSchedule"), False),
        (taint("node.kubernetes.io/memory-pressure"), False),
        (taint("node.kubernetes.io/unreachable", "NoExecute"), False),
    ],
)
async def test_which_nodes_are_left(spec: b.Raw, *, leaving: bool) -> None:
    node = b.node("n1", **spec)
    row = await plan(b.formation(), *BASE, deployment(), dyno(), node)

    assert parse_node(node).leaving is leaving
    assert moved(row) == (BEGAN if leaving else "")
    assert budget(row) == 0
    assert row.plan.requeue_after == (PATIENCE if leaving else None)


async def test_only_the_dyno_of_that_node_moves() -> None:
    row = await plan(b.formation(), *BASE, deployment(), dyno(node="n2"), b.node("n1", **CORDONED))

    assert moved(row) == ""


@pytest.mark.parametrize(
    ("formation", "app", "changes", "wanted"),
    [
        (b.formation(quantity=2), b.app(), {}, 1),
        (b.formation("worker"), b.app(), {}, None),
        (b.formation(), b.app(rollout={"strategy": "Replace"}), {}, None),
        (b.formation(), b.app(), {"handover_seconds": 0}, None),
    ],
    ids=["several", "no web", "never two at once", "switched off"],
)
async def test_who_does_not_hand_over(
    formation: b.Raw, app: b.Raw, changes: dict[str, Any], wanted: int | None
) -> None:
    kind = formation["spec"]["processType"]
    rest = (app, b.stack(), b.release(), b.deployment(kind), b.node("n1", **CORDONED))
    row = await plan(formation, *rest, dyno(), **changes)

    assert row.plan.requeue_after is None
    if kind == "web":
        assert moved(row) == ""
        assert budget(row) == wanted
    else:
        assert row.writes == ["apply Deployment hello-worker"]


async def test_a_move_is_ordered_once() -> None:
    node = b.node("n1", **CORDONED)
    later = NOW + timedelta(seconds=20)
    rest = (*BASE, deployment(BEGAN), node)
    first = await plan(b.formation(), *rest, dyno(), now=later)
    both = await plan(b.formation(), *rest, dyno(), dyno("q", node="n2", moved=BEGAN), now=later)
    after = await plan(b.formation(), *rest, dyno("q", node="n2", moved=BEGAN), now=later)

    assert [moved(each) for each in (first, both, after)] == [BEGAN] * 3
    assert [budget(each) for each in (first, both, after)] == [0] * 3
    assert [each.plan.requeue_after for each in (first, both, after)] == [160, 160, None]


async def test_its_new_node_is_left_as_well() -> None:
    later = NOW + timedelta(hours=1)
    rest = (*BASE, deployment(BEGAN), dyno("q", moved=BEGAN), b.node("n1", **CORDONED))
    row = await plan(b.formation(), *rest, now=later)

    assert moved(row) == format_time(later)
    assert budget(row) == 0


@pytest.mark.parametrize(
    "others", [(), (dyno("q", node="", moved=BEGAN),)], ids=["none", "no room"]
)
async def test_a_drain_ends_where_no_replacement_gets_ready(others: tuple[b.Raw, ...]) -> None:
    rest = (*BASE, deployment(BEGAN), b.node("n1", **CORDONED))
    soon, late = (NOW + timedelta(seconds=PATIENCE + left) for left in (-1, 0))

    waiting = await plan(b.formation(), *rest, dyno(), *others, now=soon)
    ended = await plan(b.formation(), *rest, dyno(), *others, now=late)
    evicted = await plan(b.formation(), *rest, dyno(deleting=True), *others, now=late)

    assert (budget(waiting), waiting.plan.requeue_after) == (0, 1)
    assert (budget(ended), ended.plan.requeue_after) == (1, None)
    assert (budget(evicted), moved(evicted)) == (0, BEGAN)


async def test_an_uncordoned_node_is_held_again_and_nothing_rolls_twice() -> None:
    late = NOW + timedelta(days=1)
    row = await plan(b.formation(), *BASE, deployment(BEGAN), dyno(), b.node("n1"), now=late)

    assert (budget(row), moved(row)) == (0, BEGAN)


async def test_a_node_that_is_not_known_is_no_reason() -> None:
    row = await plan(b.formation(), *BASE, deployment(), dyno(node="n9"))

    assert (budget(row), moved(row)) == (0, "")


@given(
    began=st.sampled_from(["", BEGAN]),
    dynos=st.lists(
        st.tuples(st.sampled_from(["", "n1", "n2"]), st.sampled_from(["", BEGAN]), st.booleans()),
        max_size=3,
    ),
    seconds=st.integers(0, 400),
)
async def test_a_drain_that_waits_is_looked_at_again_until_it_ends(
    began: str, dynos: list[tuple[str, str, bool]], seconds: int
) -> None:
    pods = [
        dyno(f"p{number}", node=node, moved=mark, deleting=deleting)
        for number, (node, mark, deleting) in enumerate(dynos)
    ]
    now = NOW + timedelta(seconds=seconds)
    rest = (*BASE, deployment(began), *pods, b.node("n1", **CORDONED), b.node("n2"))
    row = await plan(b.formation(), *rest, now=now)

    waits = any(node == "n1" and not deleting for node, _, deleting in dynos)
    if waits and budget(row) == 0:
        assert row.plan.requeue_after is not None
        assert 0 < row.plan.requeue_after <= PATIENCE
    if not waits:
        assert row.plan.requeue_after is None
