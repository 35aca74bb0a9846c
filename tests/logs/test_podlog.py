"""The log of a pod: lines however it is cut into chunks, none twice after a lost connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikube.logs.gap import Backlog, Gap, is_whole
from haikube.logs.line import LONGEST
from haikube.logs.podlog import Place, Printed, Reader


def time(number: int) -> str:
    return f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000000000"


def log(lines: list[tuple[int, bytes]]) -> bytes:
    return b"".join(b"%sZ %s\n" % (time(number).encode(), raw) for number, raw in lines)


def read(data: bytes, cuts: list[int]) -> list[Printed]:
    reader, found, last = Reader(), list[Printed](), 0
    for cut in [*sorted(cuts), len(data)]:
        found += reader.feed(data[last:cut])
        last = cut
    return found + reader.end()


TEXTS = st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b""))
LINES = st.lists(st.tuples(st.integers(0, 3599), TEXTS), max_size=8)


@given(LINES, st.lists(st.integers(0, 400), max_size=6))
def test_chunks_do_not_matter(lines: list[tuple[int, bytes]], cuts: list[int]) -> None:
    data = log(lines)
    found = read(data, [min(cut, len(data)) for cut in cuts])
    assert found == [Printed(time(number), raw) for number, raw in lines]


def test_a_line_without_end_is_given_out_in_parts_and_never_held() -> None:
    reader, found = Reader(), list[Printed]()
    found += reader.feed(f"{time(1)}Z ".encode())
    for _ in range(1000):
        found += reader.feed(b"x" * 5000)
        assert len(reader._rest) <= LONGEST + 5000
    found += reader.feed(b"\n" + log([(2, b"next")]))

    assert sum(len(each.raw) for each in found[:-1]) == 5_000_000
    assert {each.time for each in found[:-1]} == {time(1)}
    assert all(len(each.raw) <= LONGEST for each in found)
    assert found[-1] == Printed(time(2), b"next")


@pytest.mark.parametrize(
    ("sizes", "times", "read_at", "lost"),
    [
        ([9 << 20, 9 << 20, 1], [0, 1, 9], [60, 60, 60], True),
        ([9 << 20, 100, 1], [0, 1, 9], [0, 60, 60], True),  # it stalled near the end of a file
        ([9 << 20, 9 << 20, 1], [0, 1, 2], [60, 60, 60], False),  # no jump
        ([9 << 20, 9 << 20, 1], [0, 1, 9], [3, 3, 9], False),  # not late: the dyno was silent
        ([9 << 20, 9 << 20, 1], [0, 1, 60], [0, 1, 60], False),  # the same, for longer
        ([100, 100, 1], [0, 1, 9], [60, 60, 60], False),  # too little to be left out
        ([9 << 20, 100, 1], [0, 5, 9], [60, 60, 60], False),  # too little since the last jump
    ],
)
def test_what_the_kubelet_left_out_is_noticed(
    sizes: list[int],
    times: list[int],
    read_at: list[int],
    lost: bool,  # noqa: FBT001 - a column
) -> None:
    backlog = Backlog()
    found = [
        backlog.lost(
            [Printed(time(second), b"x" * size)],
            datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=now),
        )
        for second, size, now in zip(times, sizes, read_at, strict=True)
    ]
    assert found[2] == ((time(times[1]), time(times[2])) if lost else None)


def test_what_was_left_out_within_a_chunk_is_noticed() -> None:
    backlog = Backlog()
    late = datetime(2026, 1, 1, 0, 2, tzinfo=UTC)
    backlog.lost([Printed(time(0), b"x" * (9 << 20))], late)
    found = backlog.lost([Printed(time(0), b"x"), Printed(time(30), b"x")], late)
    assert found == (time(0), time(30))


@pytest.mark.parametrize(
    ("kept", "whole"),
    [
        ([3, 4, 9], True),
        ([4, 4, 9, 10], True),
        ([9], None),  # its file begins after the gap: others may have made room
        ([30], None),  # another container's
        ([4, 6, 9], False),
        ([6, 9], False),
        ([4], None),
        ([], None),
    ],
)
async def test_a_gap_is_whole_where_one_file_has_both_its_ends(
    kept: list[int], *, whole: bool | None
) -> None:
    async def kubelet() -> AsyncIterator[bytes]:
        for each in kept:
            yield log([(each, b"x")])

    assert await is_whole(kubelet(), Gap(time(4), time(9))) is whole


def test_the_kubelets_own_words_are_not_the_dynos() -> None:
    assert read(b"unable to retrieve container logs for containerd://1\n", []) == []


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12).map(sorted), st.data())
def test_nothing_comes_twice_or_is_lost_after_a_break(
    times: list[int], data: st.DataObject
) -> None:
    """The kubelet gives everything from the second on in which the last line was printed."""
    lines = [Printed(time(number), b"%d" % index) for index, number in enumerate(times)]
    place, seen = Place(), list[Printed]()
    broken = data.draw(st.integers(0, len(lines)))
    assert place.resume() == ""
    seen += place.fresh(lines[:broken])
    for _ in range(3):
        since = place.resume()
        again = [line for line in lines if not since or f"{line.time[:19]}Z" >= since]
        upto = data.draw(st.integers(0, len(again)))
        seen += place.fresh(again[:upto])
    since = place.resume()
    seen += place.fresh([line for line in lines if not since or f"{line.time[:19]}Z" >= since])
    assert seen == lines


def test_lines_that_come_out_of_order_while_it_lives_are_kept() -> None:
    place = Place()
    late = [Printed(time(2), b"a"), Printed(time(1), b"b"), Printed(time(2), b"c")]
    assert place.fresh(late) == late
    place.resume()
    assert place.fresh([*late, Printed(time(3), b"d")]) == [Printed(time(3), b"d")]
