"""Eight workloads, each run with a fault in it, and held against the undisturbed run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import pytest

import builders as b
from haikube.cluster.port import Json
from haikube.model.resources import APPS, DYNOS, FORMATIONS
from operator_steps import PHASED, WEB, deployed
from simulation import Fault, Simulation

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


async def nothing(world: Simulation) -> None:
    """Do nothing to a world."""
    del world


async def run(
    step: Step,
    *,
    at: int = 0,
    fault: Fault | None = None,
    spoil: Step = nothing,
    mend: Step = nothing,
) -> tuple[Simulation, int]:
    """Return the world after a workload, and how many writes it took.

    The fault is met at write ``at``, counted from 1. ``spoil`` changes the world before the
    workload, ``mend`` when nothing happens any more.
    """
    world = await deployed()
    begun = world.writes
    if fault is not None:
        world.faults[begun + at] = fault
    await spoil(world)
    await step(world)
    await world.settle()
    await mend(world)
    await world.settle()
    world.clock.advance(400.0)
    await world.settle()
    return world, world.writes - begun


def check(found: Simulation, wanted: Simulation, log: pytest.LogCaptureFixture, what: str) -> None:
    assert found.state() == wanted.state(), what
    assert found.incarnations() == wanted.incarnations(), what
    broken = [each.getMessage() for each in log.records if each.levelno >= logging.ERROR]
    assert not broken, what
