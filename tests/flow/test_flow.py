"""The whole flow on a living cluster, in any order of events, killed after any write."""

from __future__ import annotations

from typing import Any

import pytest

import builders as b
from haikube.model.resources import APPS, FORMATIONS, STACKS
from operator_steps import BROKEN, built
from simulation import Simulation

PHASED = {"web": "python app.py", "worker": "python work.py", "release": "python migrate.py"}
WITHOUT_WORKER = {"web": "python app.py"}


async def flow(world: Simulation) -> None:
    """Push, configure, scale, push something broken, push something else, roll back."""
    await world.apply(STACKS, "debian-13", {"runImage": "run:1", "buildImage": "build:1"})
    await world.apply(APPS, "hello", {})
    await world.settle()
    await world.configure("hello", {"A": "1"})
    await world.push("b1", built(PHASED))
    await world.settle()
    await world.configure("hello", {"A": "2"})
    await world.settle()
    await world.cluster.patch(FORMATIONS, "hello-web", b.NAMESPACE, {"spec": {"quantity": 2}})
    await world.push("b2", BROKEN)
    await world.settle()
    await world.push("b3", built(WITHOUT_WORKER))
    await world.settle()
    await world.roll_back("hello", 3)
    await world.settle()


async def finished(**options: Any) -> Simulation:
    world = Simulation(**options)
    await flow(world)
    return world


async def test_the_flow_ends_where_it_should() -> None:
    world = await finished()
    state = world.state()
    app = state["App hello"]["status"]

    assert app["currentRelease"] == {"name": "hello-v6", "version": 6}
    assert app["web"] == "2/2"
    assert app["conditions"][0]["status"] == "True"
    assert state["Release hello-v4"]["spec"]["description"] == "Set A config vars"
    assert state["Secret hello-v6"]["data"] == b.encoded({"A": "1"})
    assert [each for each in state if each.startswith("Release")] == [
        f"Release hello-v{n}" for n in range(1, 7)
    ]
    assert state["pods"].count("dyno hello-v6 web.1") == 1
    assert state["pods"].count("dyno hello-v6 web.2") == 1
    assert set(world.incarnations().values()) == {1}


async def test_a_settled_cluster_is_written_to_no_more() -> None:
    world = await finished()
    before = world.writes
    await world.settle()

    assert world.writes == before


async def test_a_restart_writes_nothing() -> None:
    world = await finished()
    before = world.writes
    await world.start()
    await world.settle()

    assert world.writes == before


@pytest.mark.parametrize("seed", range(1, 6))
async def test_any_order_of_events_ends_the_same(seed: int) -> None:
    wanted, found = await finished(), await finished(seed=seed)

    assert found.state() == wanted.state()


async def test_deleting_the_app_leaves_nothing_but_the_stack() -> None:
    world = await finished()
    await world.cluster.delete(APPS, "hello", b.NAMESPACE)
    await world.settle()
    left = [each for each in world.state() if each != "pods"]

    assert left == ["Stack debian-13"]


@pytest.mark.parametrize("every", [1, 2, 3, 5, 7])
async def test_operators_that_live_for_a_few_writes_get_there_too(every: int) -> None:
    """With 1, every single write is the last that an operator makes."""
    wanted, found = await finished(), await finished(kill_every=every, seed=every)

    assert found.state() == wanted.state()
    assert found.incarnations() == wanted.incarnations()


FIRST_WRITES = 140
"""As many as the flow makes; a kill after the last one is no kill, and must change nothing."""


@pytest.mark.parametrize("start", range(1, FIRST_WRITES, 20))
async def test_an_operator_killed_after_a_write_ends_in_the_same_state(start: int) -> None:
    """Sieve's idea: the end of an undisturbed run is the oracle, and nothing is made twice."""
    wanted = await finished()
    for last in range(start, start + 20, 5):
        found = await finished(kill_after=last)

        assert found.state() == wanted.state(), f"killed after write {last}"
        assert found.incarnations() == wanted.incarnations(), f"killed after write {last}"
