"""Of several processes at most one leads, whatever fails."""

from __future__ import annotations

import asyncio

import pytest

from haikube.cluster.errors import ApiError, Unreachable
from haikube.cluster.fake import Call, FakeCluster
from haikube.cluster.port import Json
from haikube.engine.clock import FakeClock, SystemClock, settle
from haikube.engine.elector import Elector
from haikube.model.resources import LEASES

SECONDS = 15.0


class Candidates:
    """Two candidates for one lease, on one clock."""

    def __init__(self) -> None:
        self.cluster, self.clock = FakeCluster(), FakeClock()
        self.cut_off: set[str] = set()

    def candidate(self, identity: str) -> Elector:
        return Elector(
            _Wire(self.cluster, identity, self.cut_off),
            "lead",
            "ns",
            identity,
            self.clock,
            seconds=SECONDS,
            jitter=lambda: 0.0,
        )

    async def lease(self) -> Json:
        return (await self.cluster.get(LEASES, "lead", "ns"))["spec"]


class _Wire(FakeCluster):
    """One candidate's own connection to the shared cluster."""

    def __init__(self, cluster: FakeCluster, identity: str, cut_off: set[str]) -> None:
        super().__init__()
        self._state = cluster._state
        self.fault = self._check
        self._identity = identity
        self._cut_off = cut_off

    def _check(self, call: Call) -> None:
        if self._identity in self._cut_off:
            raise Unreachable(0, "Unreachable", call.verb)


@pytest.fixture
def scene() -> Candidates:
    return Candidates()


async def test_the_first_takes_the_lead(scene: Candidates) -> None:
    first = scene.candidate("a")
    assert (first.leading, first.leader) == (False, "")

    await first.acquire()

    assert first.leading
    assert await scene.lease() == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:00:00.000000Z",
        "leaseTransitions": 0,
    }


async def test_the_second_waits_as_long_as_the_first_renews(scene: Candidates) -> None:
    first, second = scene.candidate("a"), scene.candidate("b")
    await first.acquire()
    keeping = asyncio.create_task(first.keep())
    waiting = asyncio.create_task(second.acquire())

    await scene.clock.run_for(120)

    assert (first.leading, second.leading) == (True, False)
    assert second.leader == "a"
    assert not keeping.done()
    for task in (keeping, waiting):
        task.cancel()
    await asyncio.gather(keeping, waiting, return_exceptions=True)


async def test_a_leader_without_connection_stops_before_another_starts(scene: Candidates) -> None:
    first, second = scene.candidate("a"), scene.candidate("b")
    await first.acquire()
    keeping = asyncio.create_task(first.keep())
    waiting = asyncio.create_task(second.acquire())
    await scene.clock.run_for(10)

    scene.cut_off.add("a")
    for _ in range(400):
        await scene.clock.run_for(0.1)
        assert not (first.leading and second.leading)

    assert keeping.done()
    assert waiting.done()
    lease = await scene.lease()
    assert (lease["holderIdentity"], lease["leaseTransitions"]) == ("b", 1)


async def test_one_lost_answer_is_not_the_end(scene: Candidates) -> None:
    first = scene.candidate("a")
    await first.acquire()
    keeping = asyncio.create_task(first.keep())
    for _ in range(5):
        scene.cut_off.add("a")
        await scene.clock.run_for(6)
        scene.cut_off.clear()
        await scene.clock.run_for(4)
        assert first.leading

    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_the_next_takes_over_at_once_after_a_release(scene: Candidates) -> None:
    first, second = scene.candidate("a"), scene.candidate("b")
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await settle()

    await first.release()
    await scene.clock.run_for(3)

    assert not first.leading
    assert second.leading
    await waiting


async def test_a_release_is_only_of_ones_own(scene: Candidates) -> None:
    first = scene.candidate("a")
    await first.acquire()
    await scene.cluster.patch(LEASES, "lead", "ns", {"spec": {"holderIdentity": "b"}})

    await first.release()
    await scene.candidate("c").release()

    assert (await scene.lease())["holderIdentity"] == "b"


async def test_a_release_that_fails_is_no_error(scene: Candidates) -> None:
    first = scene.candidate("a")
    await first.acquire()
    scene.cut_off.add("a")

    await first.release()

    assert not first.leading


async def test_a_restarted_process_takes_its_own_lease_at_once(scene: Candidates) -> None:
    await scene.candidate("a").acquire()

    again = scene.candidate("a")
    await again.acquire()

    assert again.leading
    assert (await scene.lease())["leaseTransitions"] == 0


async def test_of_two_that_try_at_once_one_leads(scene: Candidates) -> None:
    await scene.cluster.create(LEASES, {"metadata": {"name": "lead", "namespace": "ns"}})
    candidates = [scene.candidate(name) for name in "abcde"]
    waiting = [asyncio.create_task(one.acquire()) for one in candidates]

    await scene.clock.run_for(1)

    assert sum(one.leading for one in candidates) == 1
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_foreign_wall_clock_does_not_matter(scene: Candidates) -> None:
    """The timestamps of a holder whose clock is years ahead say nothing."""
    spec = {
        "holderIdentity": "z",
        "renewTime": "2099-01-01T00:00:00.000000Z",
        "leaseDurationSeconds": 15,
    }
    body = {"metadata": {"name": "lead", "namespace": "ns"}, "spec": spec}
    await scene.cluster.create(LEASES, body)
    first = scene.candidate("a")
    waiting = asyncio.create_task(first.acquire())

    await scene.clock.run_for(14)
    assert not first.leading
    await scene.clock.run_for(4)

    assert first.leading
    await waiting


async def test_a_call_that_hangs_costs_the_lead_in_time() -> None:
    cluster = _Hanging()
    elector = Elector(cluster, "lead", "ns", "a", SystemClock(), seconds=0.15)
    await elector.acquire()
    cluster.hangs = True

    async with asyncio.timeout(60):
        await elector.keep()

    assert not elector.leading


class _Hanging(FakeCluster):
    hangs = False

    async def get(self, *args: object, **kwargs: object) -> Json:
        if self.hangs:
            await asyncio.Event().wait()
        return await super().get(*args, **kwargs)  # type: ignore[arg-type]


async def test_a_conflict_is_a_failed_try(scene: Candidates) -> None:
    await scene.cluster.create(LEASES, {"metadata": {"name": "lead", "namespace": "ns"}})
    first = scene.candidate("a")
    tries = []

    def conflict(call: Call) -> None:
        if call.verb == "patch" and len(tries) < 3:
            tries.append(call)
            raise ApiError(409, "Conflict", "somebody was faster")

    first._cluster.fault = conflict  # type: ignore[attr-defined]
    waiting = asyncio.create_task(first.acquire())
    await scene.clock.run_for(10)

    assert first.leading
    await waiting
