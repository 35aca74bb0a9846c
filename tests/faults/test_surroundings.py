"""What is around the operator goes wrong during eight workloads, and the end is the same.

A watch that tells of no deletion, a start that is shown the past, a storage that is away, a clock
that is off, and a leader that stood still with a write in its hands while another one took over.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from faults.workloads import WORKLOADS, Step, check, run
from haikube.cluster.errors import ApiError
from haikube.model.resources import JOBS, OWN_KINDS
from simulation import Simulation

pytestmark = [pytest.mark.faults, pytest.mark.parametrize("workload", WORKLOADS)]

OFF = (timedelta(minutes=10), timedelta(minutes=-10))
COMPARISONS = 3
"""A comparison makes the operator write, and of what goes by that the next one tells."""


async def hide_deletions(world: Simulation) -> None:
    world.hides_deletions = True


async def find_deletions(world: Simulation) -> None:
    for _ in range(COMPARISONS):
        await world.compare()
        await world.settle()


async def test_no_watch_tells_of_a_deletion(
    workload: str, caplog: pytest.LogCaptureFixture
) -> None:
    wanted, _ = await run(WORKLOADS[workload])
    found, _ = await run(WORKLOADS[workload], spoil=hide_deletions, mend=find_deletions)

    check(found, wanted, caplog, "deletions hidden")


async def show_the_past(world: Simulation) -> None:
    world.outdated = await world.picture()


def lasting(world: Simulation) -> dict[str, Any]:
    """Return the state without the traces of a step that was undone and done again."""
    state = world.state()
    for name, obj in state.items():
        if name.startswith("Deployment "):
            del obj["status"]["observedGeneration"]
        if name.startswith("Release ") and not obj["status"]["current"]:
            del obj["status"]["conditions"]
    return state


def runs(world: Simulation) -> Counter[tuple[str, str]]:
    """Return how often each thing existed that runs something or is on record."""
    kinds = {each.kind for each in (*OWN_KINDS, JOBS)}
    return Counter({key: n for key, n in world.incarnations().items() if key[0] in kinds})


async def test_an_operator_starts_with_a_picture_of_before_the_workload(workload: str) -> None:
    """It may undo a step and do it again, but nothing is made, run or recorded twice."""
    wanted, writes = await run(WORKLOADS[workload])
    for at in range(1, writes + 1):
        found, _ = await run(WORKLOADS[workload], at=at, fault="after", spoil=show_the_past)
        what = f"started with the past after write {at} of {writes}"
        assert lasting(found) == lasting(wanted), what
        assert runs(found) == runs(wanted), what


async def take_storage_away(world: Simulation) -> None:
    world.storage.down = "connection refused"


async def bring_storage_back(world: Simulation) -> None:
    world.storage.down = ""
    world.clock.advance(400.0)


async def test_the_storage_is_away(workload: str, caplog: pytest.LogCaptureFixture) -> None:
    wanted, _ = await run(WORKLOADS[workload])
    found, _ = await run(WORKLOADS[workload], spoil=take_storage_away, mend=bring_storage_back)

    check(found, wanted, caplog, "storage away")


def set_clock(off: timedelta) -> Step:
    async def spoil(world: Simulation) -> None:
        world.clock_off = off

    return spoil


@pytest.mark.parametrize("off", OFF, ids=str)
async def test_the_next_operator_has_another_idea_of_the_time(
    workload: str, off: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    wanted, writes = await run(WORKLOADS[workload])
    for at in range(1, writes + 1):
        found, _ = await run(WORKLOADS[workload], at=at, fault="after", spoil=set_clock(off))
        check(found, wanted, caplog, f"clock off by {off} after write {at} of {writes}")


async def let_go(world: Simulation) -> None:
    assert world.held is not None
    with contextlib.suppress(ApiError):
        await world.held()


async def test_a_leader_stands_still_and_its_write_lands_after_all_others(workload: str) -> None:
    wanted, writes = await run(WORKLOADS[workload])
    for at in range(1, writes + 1):
        found, _ = await run(WORKLOADS[workload], at=at, fault="held", mend=let_go)
        what = f"write {at} of {writes} landed last"
        assert lasting(found) == lasting(wanted), what
        assert runs(found) == runs(wanted), what
