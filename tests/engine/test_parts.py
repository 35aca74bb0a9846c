"""The small parts: clocks, digests, statuses, memory, health and events."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.objects import THINGS, thing
from haikube.cluster.errors import Forbidden
from haikube.cluster.fake import Call, FakeCluster
from haikube.cluster.port import Json
from haikube.engine.clock import FakeClock, SystemClock, settle
from haikube.engine.health import LAG_LIMIT, Health
from haikube.engine.recent import Recent
from haikube.engine.recorder import FOLD_SECONDS, Recorder
from haikube.engine.status import same_status, without_nulls
from haikube.model.digest import canonical, digest
from haikube.model.intents import Event
from haikube.model.resources import EVENTS

# Clocks


async def test_the_system_clock_is_that_of_the_loop() -> None:
    clock, called = SystemClock(), asyncio.Event()

    start = clock.monotonic()
    clock.call_later(0, called.set)
    clock.call_later(0, pytest.fail).cancel()
    await clock.sleep(0)
    await called.wait()

    assert clock.monotonic() >= start
    assert datetime.now(UTC) - clock.now() < timedelta(minutes=1)


async def test_a_fake_clock_wakes_sleepers_in_their_order() -> None:
    clock, woken = FakeClock(), list[tuple[float, float]]()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    tasks = [asyncio.create_task(sleep(seconds)) for seconds in (3.0, 1.0, 2.0)]
    await clock.run_for(2.5)

    assert woken == [(1.0, 1.0), (2.0, 2.0)]
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=2.5)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    clock.advance(10)


# Digests and statuses

_JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(value=st.dictionaries(st.text(max_size=3), _JSON, max_size=4))
def test_the_order_of_keys_is_no_content(value: Json) -> None:
    turned = dict(reversed(value.items()))

    assert digest(value) == digest(turned)
    assert canonical(value) == canonical(turned)


@given(value=_JSON)
def test_the_text_of_a_value_is_that_of_older_operators(value: Any) -> None:
    """It is on every object: another one would have all of them applied anew."""
    settings: dict[str, Any] = {"sort_keys": True, "separators": (",", ":")}

    assert canonical(value) == json.dumps(value, ensure_ascii=False, **settings)


def test_another_content_has_another_digest() -> None:
    assert digest({"a": 1}) != digest({"a": "1"}) != digest({"a": 2})


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [
        ({}, {}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {}, False),
        ({"c": [{"type": "A"}, {"type": "B"}]}, {"c": [{"type": "B"}, {"type": "A"}]}, True),
        ({"c": [{"name": "a", "n": 1}]}, {"c": [{"name": "a", "n": 2}]}, False),
        ({"c": ["a", "b"]}, {"c": ["b", "a"]}, False),
        ({"c": [{"x": 1}, {"x": 2}]}, {"c": [{"x": 2}, {"x": 1}]}, False),
        ({"c": []}, {}, True),
        ({}, {"c": {}}, True),
        ({"n": 0, "b": False, "s": ""}, {}, False),
    ],
)
def test_statuses_are_compared_by_meaning(live: Json, wanted: Json, *, same: bool) -> None:
    assert same_status(live, wanted) is same


def test_nulls_are_left_out_at_any_depth() -> None:
    assert without_nulls({"a": None, "b": [{"c": None, "d": 0}], "e": ({"f": None},)}) == {
        "b": [{"d": 0}],
        "e": [{}],
    }


# Memory


def test_the_oldest_is_forgotten() -> None:
    recent: Recent[str, int] = Recent(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        recent[key] = value

    assert ("a" in recent, "b" in recent, len(recent)) == (True, False, 2)
    assert (recent.get("a"), recent.get("b")) == (3, None)
    recent.pop("a")
    recent.pop("never there")
    assert len(recent) == 1


# Health


def test_silence_is_a_problem_with_a_name() -> None:
    clock = FakeClock()
    health = Health(clock)
    health.expect("watch of pods", 180)
    health.expect("watch of apps", 180)
    assert health.problems() == []

    clock.advance(181)
    health.seen("watch of pods")

    assert health.problems() == ["watch of apps: silent for 181 s, at most 180 s are normal"]
    assert health.ages() == {"watch of pods": 0, "watch of apps": 181}


def test_a_gauge_over_its_limit_is_a_problem() -> None:
    health, age = Health(FakeClock()), [5.0]
    health.bound("oldest key", lambda: age[0], 600)
    assert health.problems() == []

    age[0] = 601

    assert health.problems() == ["oldest key: 601 is over 600"]


async def test_a_late_event_loop_is_a_problem() -> None:
    clock = FakeClock()
    health = Health(clock)
    beating = asyncio.create_task(health.beat())
    await clock.run_for(3)
    assert (health.lag, health.problems()) == (0, [])

    clock.advance(LAG_LIMIT + 2)
    await settle()

    assert health.lag == pytest.approx(LAG_LIMIT + 1)
    assert health.problems() == [f"event loop: {LAG_LIMIT + 1:.1f} s late"]
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


# Events


async def test_an_event_tells_about_its_object() -> None:
    cluster = FakeCluster()
    recorder = Recorder(cluster, "engine", FakeClock())

    await recorder.record(THINGS, thing("one"), Event("Warning", "Broken", "m" * 2000))

    (event,) = (await cluster.list(EVENTS)).items
    assert event["metadata"]["namespace"] == "ns"
    assert event["metadata"]["name"].startswith("one.")
    assert event["involvedObject"]["uid"] == "u1"
    assert (event["type"], event["reason"]) == ("Warning", "Broken")
    assert event["message"] == "m" * 1024
    assert event["lastTimestamp"] == "2026-01-01T00:00:00Z"


async def test_a_repeated_event_is_folded_for_a_while() -> None:
    cluster, clock = FakeCluster(), FakeClock()
    recorder = Recorder(cluster, "engine", clock)
    event = Event("Normal", "Done", "all is well")

    await recorder.record(THINGS, thing(), event)
    await recorder.record(THINGS, thing(), event)
    await recorder.record(THINGS, thing(uid="u2"), event)
    await recorder.record(THINGS, thing(), Event("Normal", "Done", "another"))
    assert len(cluster.writes) == 3

    clock.advance(FOLD_SECONDS)
    await recorder.record(THINGS, thing(), event)
    assert len(cluster.writes) == 4


async def test_an_event_about_a_cluster_scoped_object_goes_to_default() -> None:
    cluster = FakeCluster()
    wide = thing()
    del wide["metadata"]["namespace"]

    await Recorder(cluster, "engine", FakeClock()).record(
        THINGS, wide, Event("Normal", "Done", "well")
    )

    assert cluster.writes[0].namespace == "default"


async def test_an_event_that_cannot_be_written_is_only_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = FakeCluster()

    def refuse(call: Call) -> None:
        raise Forbidden(403, "Forbidden", call.verb)

    cluster.fault = refuse
    await Recorder(cluster, "engine", FakeClock()).record(
        THINGS, thing(), Event("Normal", "Done", "well")
    )

    assert "Done was not written" in caplog.text
