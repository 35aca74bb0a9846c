"""Every write of eight workloads goes wrong in every way, and the end is the same.

The oracle is the undisturbed run: the same state, nothing made twice, no traceback. A fault is put
at one write of the workload after the other: the operator dies before it, after it, or the answer
is lost; the API server refuses it once.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import pytest

import builders as b
from haikube.cluster.errors import ApiError, Conflict, TooManyRequests, Unreachable
from haikube.cluster.port import Json
from haikube.model.resources import APPS, DYNOS, FORMATIONS
from operator_steps import PHASED, WEB, deployed
from simulation import Fault, Simulation

pytestmark = pytest.mark.faults

Step = Callable[[Simulation], Awaitable[None]]


async def deploy(world: Simulation) -> None:
    await world.push("b2", WEB)


async def scale(world: Simulation) -> None:
    wanted: Json = {"spec": {"quantity": 3}}
    await world.cluster.patch(FORMATIONS, "hello-web", b.NAMESPACE, wanted)


async def configure(world: Simulation) -> None:
    await world.configure("hello", {"A": "2"})


async def roll_back(world: Simulation) -> None:
    await world.roll_back("hello", 2)


async def release_phase(world: Simulation) -> None:
    await world.push("b2", PHASED)


async def one_off(world: Simulation) -> None:
    await world.apply(DYNOS, "run-1", {"appRef": {"name": "hello"}, "command": ["true"]})


async def delete(world: Simulation) -> None:
    await world.cluster.delete(APPS, "hello", b.NAMESPACE)


async def create_again(world: Simulation) -> None:
    await world.cluster.delete(APPS, "hello", b.NAMESPACE)
    await world.apply(APPS, "hello", {})
    await world.settle()
    await world.push("b2", WEB)


WORKLOADS: dict[str, Step] = {
    "deploy": deploy,
    "scale": scale,
    "config change": configure,
    "rollback": roll_back,
    "release phase": release_phase,
    "one-off dyno": one_off,
    "delete": delete,
    "create again": create_again,
}
MOMENTS: tuple[Fault, ...] = ("before", "after", "lost")
REFUSALS: tuple[ApiError, ...] = (
    Conflict(409, "Conflict", "the object has been modified"),
    TooManyRequests(429, "TooManyRequests", "slow down"),
    ApiError(500, "InternalError", "etcdserver: leader changed"),
    Unreachable(0, "Unreachable", "timed out"),
)


async def run(step: Step, *, at: int = 0, fault: Fault | None = None) -> tuple[Simulation, int]:
    """Return the world after a workload, and how many writes it took; ``at`` counts from 1."""
    world = await deployed()
    begun = world.writes
    if fault is not None:
        world.faults[begun + at] = fault
    await step(world)
    await world.settle()
    world.clock.advance(400.0)
    await world.settle()
    return world, world.writes - begun


def check(found: Simulation, wanted: Simulation, log: pytest.LogCaptureFixture, what: str) -> None:
    assert found.state() == wanted.state(), what
    assert found.incarnations() == wanted.incarnations(), what
    broken = [each.getMessage() for each in log.records if each.levelno >= logging.ERROR]
    assert not broken, what


@pytest.mark.parametrize("workload", WORKLOADS)
async def test_the_operator_dies_at_any_write(
    workload: str, caplog: pytest.LogCaptureFixture
) -> None:
    wanted, writes = await run(WORKLOADS[workload])
    for at in range(1, writes + 1):
        for moment in MOMENTS:
            found, _ = await run(WORKLOADS[workload], at=at, fault=moment)
            check(found, wanted, caplog, f"{moment} write {at} of {writes}")


@pytest.mark.parametrize("error", REFUSALS, ids=lambda each: each.reason)
@pytest.mark.parametrize("workload", WORKLOADS)
async def test_the_api_server_refuses_any_write_once(
    workload: str, error: ApiError, caplog: pytest.LogCaptureFixture
) -> None:
    wanted, writes = await run(WORKLOADS[workload])
    for at in range(1, writes + 1):
        found, _ = await run(WORKLOADS[workload], at=at, fault=error)
        check(found, wanted, caplog, f"{error.reason} at write {at} of {writes}")
