"""The workloads on a real API server: the operator is killed, refused and cut off at each write.

A fault is put at the first try of every write of a workload, one after the other in one run. The
oracle is the undisturbed run on the same server.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import pytest

from comparison import differences
from faults.operators import Operator
from faults.proxy import Fault, Refusal
from faults.real import RealWorld, Surroundings, real_world
from faults.workloads import WORKLOADS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

REFUSALS: tuple[Fault, ...] = (
    Refusal(409, "Conflict"),
    Refusal(429, "TooManyRequests"),
    Refusal(500, "InternalError"),
    Refusal(504, "Timeout", done=True),
    "lost",
)

Wanted = tuple[dict[str, Any], Counter[tuple[str, str]] | None]
_wanted: dict[str, Wanted] = {}


async def undisturbed(around: Surroundings, workload: str) -> Wanted:
    """Return the end of a workload at which nothing goes wrong."""
    if workload not in _wanted:
        async with real_world(around) as world:
            await world.deployed()
            await WORKLOADS[workload](world)
            await world.settle()
            assert not world.operator.broken()
            assert not world.refused()
            _wanted[workload] = (await world.state(), world.incarnations())
    return _wanted[workload]


async def ends_like(world: RealWorld, wanted: Wanted, writer: Operator | None = None) -> None:
    """Wait until the state is as it is wanted, and see that it stays so.

    Nothing may have been made twice, unless the wanted incarnations are None. ``writer`` is the
    operator that must have no error in its log; without one it is the first.
    """
    state, incarnations = wanted

    async def is_so() -> bool:
        return not differences(await world.state(), state)

    with contextlib.suppress(AssertionError):
        await world.until(is_so, "the state of the undisturbed run")
    assert not differences(await world.state(), state), world.story()
    await world.settle()
    assert not differences(await world.state(), state), world.story()
    assert incarnations is None or world.incarnations() == incarnations, world.story()
    assert not (writer or world.operator).broken(), world.story()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("workload", WORKLOADS)
async def test_the_operator_dies_at_each_write(
    around: Surroundings, workload: str, moment: Fault
) -> None:
    wanted = await undisturbed(around, workload)
    async with real_world(around) as world:
        await world.deployed()
        world.api.judge = world.fault_each_write(moment)
        await WORKLOADS[workload](world)
        await ends_like(world, wanted)


@pytest.mark.parametrize("workload", WORKLOADS)
async def test_the_api_server_refuses_each_write_once(around: Surroundings, workload: str) -> None:
    wanted = await undisturbed(around, workload)
    async with real_world(around) as world:
        await world.deployed()
        world.api.judge = world.fault_each_write(*REFUSALS)
        await WORKLOADS[workload](world)
        await ends_like(world, wanted)
