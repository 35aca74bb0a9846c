"""The work queue: nothing lost, nothing twice, users before housekeeping."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from haikube.engine.clock import FakeClock, settle
from haikube.engine.queue import BURST, LONGEST_RETRY, TURN, Lane, WorkQueue


def take(queue: WorkQueue[str]) -> str:
    """Take a ready key without an event loop: ``get`` has nothing to wait for."""
    getting = queue.get()
    try:
        getting.send(None)
    except StopIteration as stop:
        return str(stop.value)
    raise AssertionError("get waits although a key is ready")


def new_queue(jitter: float = 1.0) -> tuple[WorkQueue[str], FakeClock]:
    clock = FakeClock()
    return WorkQueue[str](clock, jitter=lambda: jitter), clock


def test_keys_come_in_the_order_they_were_added() -> None:
    queue, _ = new_queue()
    for key in ("b", "a", "c", "a"):
        queue.add(key)

    assert [take(queue), take(queue), take(queue)] == ["b", "a", "c"]
    assert queue.depth == 0
    assert queue.running == 3


def test_a_key_added_while_it_runs_comes_once_more_afterwards() -> None:
    queue, _ = new_queue()
    queue.add("a")
    take(queue)

    queue.add("a")
    queue.add("a", Lane.LOOK)

    assert queue.depth == 0
    queue.done("a")
    assert take(queue) == "a"
    queue.done("a")
    assert queue.idle


def test_the_low_lane_waits_for_the_high_one() -> None:
    queue, _ = new_queue()
    queue.add("cold", Lane.LOOK)
    queue.add("push")

    assert [take(queue), take(queue)] == ["push", "cold"]


def test_the_low_lane_is_never_starved() -> None:
    queue, _ = new_queue()
    queue.add("cold", Lane.LOOK)
    for number in range(2 * TURN):
        queue.add(f"push {number}")

    assert "cold" in [take(queue) for _ in range(2 * TURN)]


def test_what_a_person_changed_goes_before_what_is_reported() -> None:
    queue, _ = new_queue()
    queue.add("event")
    queue.add("person", Lane.PERSON)

    assert [take(queue), take(queue)] == ["person", "event"]


def test_events_are_not_starved_by_people() -> None:
    queue, _ = new_queue()
    queue.add("event")
    for number in range(2 * TURN):
        queue.add(f"person {number}", Lane.PERSON)

    assert "event" in [take(queue) for _ in range(2 * TURN)]


def test_a_burst_of_events_is_one_key() -> None:
    queue, clock = new_queue()
    for _ in range(5):
        queue.soon("a")
        clock.advance(BURST / 10)
    assert queue.depth == 0
    clock.advance(BURST)

    assert take(queue) == "a"
    queue.done("a")
    clock.advance(10)
    assert queue.idle


def test_a_person_does_not_wait_for_the_burst_to_end() -> None:
    queue, clock = new_queue()
    queue.soon("a")
    queue.add("a", Lane.PERSON)

    assert take(queue) == "a"
    queue.done("a")
    clock.advance(10)
    assert queue.idle, "what was planned for later is decided anew by the pass"


def test_an_event_while_a_key_runs_makes_it_run_again() -> None:
    queue, _ = new_queue()
    queue.add("a")
    take(queue)
    queue.soon("a")
    queue.done("a")

    assert take(queue) == "a"


def test_a_cold_key_that_a_user_touches_moves_up() -> None:
    queue, _ = new_queue()
    queue.add("x", Lane.LOOK)
    queue.add("y", Lane.LOOK)
    queue.add("y")
    queue.add("y", Lane.LOOK)

    assert [take(queue), take(queue)] == ["y", "x"]


def test_a_key_touched_cold_while_it_runs_comes_back_cold() -> None:
    queue, _ = new_queue()
    queue.add("a")
    take(queue)
    queue.add("a", Lane.LOOK)
    queue.done("a")
    queue.add("b")

    assert [take(queue), take(queue)] == ["b", "a"]


def test_a_delayed_key_comes_at_its_earliest_time() -> None:
    queue, clock = new_queue()
    queue.add_after("a", 10)
    queue.add_after("a", 3)
    queue.add_after("a", 5)
    queue.add_after("b", 4)

    clock.advance(2.9)
    assert (queue.depth, queue.delayed) == (0, 2)
    clock.advance(0.2)
    assert take(queue) == "a"
    queue.done("a")
    clock.advance(10)
    assert take(queue) == "b"
    assert queue.depth == 0


def test_a_delay_of_nothing_is_now() -> None:
    queue, _ = new_queue()
    queue.add_after("a", 0)

    assert take(queue) == "a"


def test_a_failed_key_comes_back_later_and_later() -> None:
    queue, clock = new_queue()
    queue.add("a")
    for failures, wait in enumerate((0.005, 0.01, 0.02, 0.04, 0.08), start=1):
        take(queue)
        queue.done("a", failed=True)
        assert queue.failures("a") == failures

        clock.advance(wait * 0.9)
        assert queue.depth == 0
        clock.advance(wait * 0.2)
        assert queue.depth == 1


def test_the_wait_is_a_random_part_of_its_bound() -> None:
    queue, clock = new_queue(jitter=0.1)
    queue.add("a")
    take(queue)
    queue.done("a", failed=True)

    clock.advance(0.00051)

    assert queue.depth == 1


def test_the_longest_wait_is_bounded_and_success_forgets() -> None:
    queue, clock = new_queue()
    queue.add("a")
    for _ in range(40):
        take(queue)
        queue.done("a", failed=True)
        clock.advance(LONGEST_RETRY)
    take(queue)
    queue.done("a")

    assert queue.failures("a") == 0
    assert queue.idle


def test_the_age_is_that_of_the_key_that_waits_longest() -> None:
    queue, clock = new_queue()
    assert queue.oldest_age == 0
    queue.add("a", Lane.LOOK)
    clock.advance(5)
    queue.add("b")

    assert queue.oldest_age == 5
    queue.add("a")
    assert queue.oldest_age >= 0
    assert {take(queue), take(queue)} == {"a", "b"}


async def test_a_waiting_worker_is_woken() -> None:
    queue, clock = new_queue()
    getting = asyncio.create_task(queue.get())
    await settle()
    queue.add_after("a", 1)

    await clock.run_for(1)

    assert await getting == "a"


async def test_a_worker_cancelled_in_its_turn_passes_the_turn_on() -> None:
    queue, _ = new_queue()
    first = asyncio.create_task(queue.get())
    second = asyncio.create_task(queue.get())
    await settle()

    queue.add("a")
    first.cancel()

    assert await second == "a"


async def test_a_worker_cancelled_while_it_waits_is_no_loss() -> None:
    queue, _ = new_queue()
    first = asyncio.create_task(queue.get())
    second = asyncio.create_task(queue.get())
    await settle()
    first.cancel()
    await settle()

    queue.add("a")

    assert await second == "a"


async def test_many_workers_never_share_a_key_and_lose_nothing() -> None:
    queue, _ = new_queue()
    running: set[str] = set()
    seen: dict[str, int] = {}
    wanted: dict[str, int] = {}

    async def work() -> None:
        while True:
            key = await queue.get()
            assert key not in running
            running.add(key)
            seen[key] = wanted[key]
            await asyncio.sleep(0)
            running.discard(key)
            queue.done(key)

    workers = [asyncio.create_task(work()) for _ in range(8)]
    for turn in range(300):
        key = f"key {turn % 7}"
        wanted[key] = turn
        queue.add(key, Lane(turn % 3))
        if turn % 5 == 0:
            await asyncio.sleep(0)
    await settle(1000)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)

    assert seen == wanted
    assert queue.idle


KEYS = st.sampled_from("abcde")


class QueueMachine(RuleBasedStateMachine):
    """Any sequence of calls: a key runs once at a time, and no wish is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.queue, self.clock = new_queue(jitter=0.5)
        self.running: set[str] = set()
        self.owed: set[str] = set()

    @rule(key=KEYS, lane=st.sampled_from(Lane))
    def add(self, key: str, lane: Lane) -> None:
        self.queue.add(key, lane)
        self.owed.add(key)

    @rule(key=KEYS, seconds=st.floats(min_value=0.0, max_value=5.0))
    def add_after(self, key: str, seconds: float) -> None:
        self.queue.add_after(key, seconds)
        self.owed.add(key)

    @rule(seconds=st.floats(min_value=0.0, max_value=4.0))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.queue.depth)
    @rule()
    def take(self) -> None:
        key = take(self.queue)
        assert key not in self.running
        self.running.add(key)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), failed=st.booleans())
    def done(self, data: st.DataObject, failed: Any) -> None:
        key = data.draw(st.sampled_from(sorted(self.running)))
        self.running.discard(key)
        self.queue.done(key, failed=failed)

    @invariant()
    def counts_agree(self) -> None:
        assert self.queue.running == len(self.running)

    def teardown(self) -> None:
        """Whatever was asked for is still there to be taken, or was taken."""
        for key in sorted(self.running):
            self.queue.done(key)
        self.clock.advance(LONGEST_RETRY)
        left = set()
        while self.queue.depth:
            key = take(self.queue)
            assert key not in left
            left.add(key)
        assert left <= self.owed


class NothingLostMachine(QueueMachine):
    """A version counter per key: the last one asked for is always seen by a run after it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, int] = {}
        self.seen: dict[str, int] = {}

    @rule(key=KEYS, lane=st.sampled_from(Lane))
    def add(self, key: str, lane: Lane) -> None:
        super().add(key, lane)
        self.asked[key] = self.asked.get(key, 0) + 1

    @precondition(lambda self: self.queue.depth)
    @rule()
    def take(self) -> None:
        before = set(self.running)
        super().take()
        (key,) = self.running - before
        self.seen[key] = self.asked.get(key, 0)

    def teardown(self) -> None:
        for key in sorted(self.running):
            self.queue.done(key)
        self.clock.advance(LONGEST_RETRY)
        while self.queue.depth:
            key = take(self.queue)
            self.seen[key] = self.asked.get(key, 0)
            self.queue.done(key)
        assert {key: self.seen.get(key) for key in self.asked} == self.asked


for _machine in (QueueMachine, NothingLostMachine):
    _machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestQueueMachine = QueueMachine.TestCase
TestNothingLost = NothingLostMachine.TestCase
