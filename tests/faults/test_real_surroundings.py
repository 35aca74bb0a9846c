"""On a real API server: watches that hide deletions, a storage that is away, two leaders."""

from __future__ import annotations

import asyncio
import signal

import pytest

from faults.proxy import WRITES, Call, Fault, Refusal, before_api_server, tells
from faults.real import Surroundings, real_world
from faults.test_real import ends_like, undisturbed
from faults.workloads import WORKLOADS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

LEASE = {"HAIKUBE_LEASE_SECONDS": "8"}
AWAY: tuple[Fault, ...] = ("lost", Refusal(503, "SlowDown"), Refusal(500, "InternalError"))
_OPERATOR_WRITES = 8


@pytest.mark.parametrize("workload", ["delete", "rollback", "create again"])
async def test_no_watch_tells_of_a_deletion(around: Surroundings, workload: str) -> None:
    """A child may be made again for an owner whose end nobody told of: it is collected."""
    wanted, _ = await undisturbed(around, workload)
    async with real_world(around, HAIKUBE_RESYNC_SECONDS="3") as world:
        await world.deployed()
        world.api.hides = lambda _, line: tells("DELETED", line)
        await WORKLOADS[workload](world)
        await ends_like(world, (wanted, None))


@pytest.mark.parametrize("workload", ["deploy", "release phase"])
async def test_the_storage_answers_only_after_a_while(around: Surroundings, workload: str) -> None:
    wanted = await undisturbed(around, workload)
    asked: list[Call] = []

    def judge(call: Call) -> Fault | None:
        asked.append(call)
        return AWAY[len(asked) % len(AWAY)] if len(asked) <= _OPERATOR_WRITES else None

    async with real_world(around) as world:
        await world.deployed()
        world.storage.judge = judge
        await WORKLOADS[workload](world)
        await ends_like(world, wanted)
    assert len(asked) > _OPERATOR_WRITES


@pytest.mark.parametrize(
    ("workload", "at"), [("scale", 1), ("deploy", 4), ("config change", 2), ("create again", 3)]
)
async def test_a_leader_stands_still_with_a_write_in_its_hands(
    around: Surroundings, workload: str, at: int
) -> None:
    """Another one takes over; the write lands when all is done, and the first one wakes up."""
    wanted = await undisturbed(around, workload)
    second = before_api_server(around.plane)
    seen: list[Call] = []

    async with real_world(around, **LEASE) as world, second.running():
        await world.deployed()
        one, two = world.operator, world.add("two", second, **LEASE)
        one.is_kept = False

        def judge(call: Call) -> Fault | None:
            seen.append(call)
            if sum(each.method in WRITES and each.resource != "leases" for each in seen) < at:
                return None
            one.send(signal.SIGSTOP)
            world.api.judge = lambda _: None
            return "held"

        world.api.judge = judge
        await WORKLOADS[workload](world)
        await ends_like(world, wanted, two)
        assert second.led, "the other one has taken over"

        before = len(world.api.calls)
        world.api.go_on.set()
        one.send(signal.SIGCONT)
        await one.ended()
        await asyncio.sleep(1)
        late = [call for call, status, _ in world.api.calls[before:] if status < 300]
        assert len(late) <= 1, "nothing but the write in its hands"
        await ends_like(world, wanted, two)
