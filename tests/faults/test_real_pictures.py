"""On a real API server: operators that begin with the past, or with another idea of the time."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest

from comparison import differences
from faults.forks import CLOCK
from faults.real import RealWorld, Surroundings, real_world
from faults.test_real import ends_like, undisturbed
from faults.workloads import WORKLOADS
from haikube.model.resources import JOBS, OWN_KINDS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

_BEHIND = 0.5
"""Seconds that an operator works with its picture before the watches tell of the present."""

_ON_RECORD = {each.kind for each in (*OWN_KINDS, JOBS)}


@pytest.mark.parametrize("workload", ["scale", "one-off dyno"])
async def test_each_operator_starts_with_a_picture_of_before_the_workload(
    around: Surroundings, workload: str
) -> None:
    """It may undo a step and do it again, but nothing is made, run or recorded twice."""
    wanted, made = await undisturbed(around, workload)
    async with real_world(around) as world:
        await world.deployed()
        picture = await world.api.picture()
        world.api.delay = _BEHIND
        _before_each_start(world, lambda: world.api.past.update(picture))
        world.api.judge = world.fault_each_write("after")
        await WORKLOADS[workload](world)

        async def ends() -> bool:
            return not differences(_lasting(await world.state()), _lasting(wanted))

        await world.until(ends, "the state of the undisturbed run")
        await world.settle()
        assert differences(_lasting(await world.state()), _lasting(wanted)) == [], world.story()
        assert _on_record(world.incarnations()) == _on_record(made), world.story()
        assert not world.operator.broken(), world.story()


@pytest.mark.parametrize("workload", ["deploy", "release phase", "one-off dyno"])
async def test_each_operator_has_another_idea_of_the_time(
    around: Surroundings, workload: str
) -> None:
    wanted = await undisturbed(around, workload)
    async with real_world(around) as world:
        await world.deployed()
        off = cycle(("600", "-600"))
        _before_each_start(world, lambda: world.operator.settings.update({CLOCK: next(off)}))
        world.api.judge = world.fault_each_write("after")
        await WORKLOADS[workload](world)
        await ends_like(world, wanted)


def _before_each_start(world: RealWorld, prepare: Callable[[], None]) -> None:
    """Do something whenever the operator has been killed: it is started again right after."""

    async def kill() -> None:
        prepare()
        await world.operator.kill()

    world.api.kill = kill


def _lasting(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state without what tells of a step that was undone and done again."""
    found = copy.deepcopy(state)
    for name, obj in found.items():
        if name.startswith("Release ") and not obj.get("status", {}).get("current"):
            obj.get("status", {}).pop("conditions", None)
    return found


def _on_record(made: Counter[tuple[str, str]] | None) -> Counter[tuple[str, str]]:
    assert made is not None
    return Counter({key: count for key, count in made.items() if key[0] in _ON_RECORD})
