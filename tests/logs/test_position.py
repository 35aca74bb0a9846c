"""How far a reader is: whatever order lines come in, none is lost or told twice after a break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikube.logs.line import Line
from haikube.logs.position import Position

DYNOS = ("web.1", "web.2", "worker.1")


def line(milliseconds: int, dyno: str = "web.1", text: str = "x") -> Line:
    seconds, rest = divmod(milliseconds, 1000)
    return Line(f"2026-01-01T00:00:{seconds:02}.{rest:03}000000", "app", dyno, text)


STREAMS = st.lists(
    st.tuples(st.integers(0, 19_999), st.sampled_from(DYNOS), st.integers(0, 3000)), max_size=30
)
"""Lines of several dynos: when each was printed, by whom, and how much later it came."""


@given(STREAMS, st.data())
def test_whatever_the_order_what_is_left_comes_once(
    printed: list[tuple[int, str, int]], data: st.DataObject
) -> None:
    lag = {dyno: late for _, dyno, late in printed}
    timed = [(at, line(at, dyno, f"{n}")) for n, (at, dyno, _) in enumerate(sorted(printed))]
    lines = [each for _, each in timed]
    arriving = [each for _, each in sorted(timed, key=lambda pair: pair[0] + lag[pair[1].dyno])]
    cut = data.draw(st.integers(0, len(arriving)))
    position = Position()
    position.advance(arriving[:cut])

    left = Position.parse(str(position)).beyond().take(lines)

    assert sorted(left) == sorted(arriving[cut:])


def test_what_is_on_its_way_from_a_dyno_that_was_silent_is_not_lost() -> None:
    position = Position()
    position.advance([line(20_000, "web.1")])
    beyond = Position.parse(str(position)).beyond()
    late = line(18_000, "web.2")
    assert beyond.take([line(9_000, "web.2"), late, line(20_000), line(20_001)]) == [
        late,
        line(20_001),
    ]


def test_lines_of_one_time_are_counted() -> None:
    position = Position()
    position.advance([line(1, text="a"), line(1, text="b")])
    beyond = Position.parse(str(position)).beyond()
    again = [line(1, text=text) for text in "abcd"]
    assert [each.text for each in beyond.take(again)] == ["c", "d"]


def test_a_position_of_many_dynos_stays_short() -> None:
    position = Position()
    position.advance([line(number, f"web.{number}") for number in range(500)])
    text = str(position)
    assert len(text) < 3000
    beyond = Position.parse(text).beyond()
    assert beyond.take([line(100, "web.100"), line(499, "web.499")]) == []
    assert len(beyond.take([line(500, "web.100"), line(500, "web.499")])) == 2


@pytest.mark.parametrize(
    "text", ["x", "2026", "2026-01-01T00:00:00.000000000,web", "a,b=c*d", "full"]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Position.parse(text)


def test_a_reader_that_has_seen_nothing_gets_all() -> None:
    position = Position.parse(str(Position()))
    assert position.floor == ""
    assert position.beyond().take([line(0)]) == [line(0)]
