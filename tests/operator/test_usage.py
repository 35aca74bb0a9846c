"""How full the storage is, and that nobody is asked where it has no known end."""

from __future__ import annotations

import asyncio

import pytest

from haikube.engine.clock import FakeClock
from haikube.operator.usage import EVERY, Usage
from haikube.storage.memory import MemoryStorage


@pytest.fixture
async def storage() -> MemoryStorage:
    made = MemoryStorage()
    await made.put("slugs/a-b/x", b"x" * 600)
    await made.put("git/a-b/y", b"x" * 200)
    await made.put("runtimes/debian-13/ruby-3.4.7-aaaaaaaaaaaaaaaa.tar.zst", b"x" * 100)
    await made.put("platform/cluster.json", b"x" * 500)
    return made


@pytest.mark.parametrize(("limit", "full"), [(0, False), (901, False), (900, True), (1, True)])
async def test_a_storage_is_full_at_its_limit(
    storage: MemoryStorage, limit: int, *, full: bool
) -> None:
    usage = Usage(storage, FakeClock(), limit=limit)
    await usage.look()

    assert usage.used == 900
    assert bool(usage.full) is full


async def test_it_is_measured_every_minute_and_an_outage_changes_nothing(
    storage: MemoryStorage,
) -> None:
    clock = FakeClock()
    usage = Usage(storage, clock, limit=2_000_000)
    await usage.begin()
    task = asyncio.create_task(usage.run())
    await clock.run_for(1)
    await storage.put("slugs/a-b/z", b"x" * 2_000_000)
    assert usage.full == ""
    await clock.run_for(EVERY)
    assert usage.full == "the object storage holds 0.0 of 0.0 GB"
    storage.down = "no answer"
    await clock.run_for(EVERY)
    assert usage.full
    storage.down = ""
    await storage.delete("slugs/a-b/z")
    await clock.run_for(EVERY)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert usage.full == ""


async def test_without_a_limit_nobody_lists_the_bucket(storage: MemoryStorage) -> None:
    clock = FakeClock()
    usage = Usage(storage, clock, limit=0)
    task = asyncio.create_task(usage.run())
    await clock.run_for(10 * EVERY)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert usage.used == 0


async def test_a_leader_knows_of_a_full_storage_before_it_begins(storage: MemoryStorage) -> None:
    usage = Usage(storage, FakeClock(), limit=900)
    await usage.begin()

    assert usage.full


async def test_a_storage_that_does_not_answer_holds_no_leader_up(storage: MemoryStorage) -> None:
    storage.down = "no answer"
    usage = Usage(storage, FakeClock(), limit=900)
    await usage.begin()

    assert usage.full == ""
