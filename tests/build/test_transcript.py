from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from haikube.build.transcript import LINE_BYTES, Transcript


def written(*chunks: bytes, limit: int = 1 << 20) -> bytes:
    out = io.BytesIO()
    transcript = Transcript(out, limit)
    for chunk in chunks:
        transcript.output(chunk)
    assert transcript.content() == out.getvalue()
    return out.getvalue()


def test_lines_come_out_as_soon_as_they_are_complete() -> None:
    out = io.BytesIO()
    transcript = Transcript(out, 1000)
    transcript.output(b"one\ntw")
    assert out.getvalue() == b"one\n"
    transcript.output(b"o\n")
    assert out.getvalue() == b"one\ntwo\n"


def test_steps_and_lines_have_herokus_form() -> None:
    out = io.BytesIO()
    transcript = Transcript(out, 1000)
    transcript.output(b"unfinished")
    transcript.topic("Title")
    transcript.detail("line")
    transcript.warning("careful")
    assert out.getvalue() == b"unfinished\n-----> Title\n       line\n !     careful\n"


def test_progress_bars_show_their_last_state() -> None:
    assert written(b"10%\r50%\r100%\r\ndone\n") == b"100%\ndone\n"


def test_a_huge_line_is_cut_into_pieces() -> None:
    lines = written(b"x" * (3 * LINE_BYTES)).splitlines()
    assert [len(line) for line in lines] == [LINE_BYTES] * 3


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_any_bytes_become_bounded_utf8_lines(chunks: list[bytes]) -> None:
    text = written(*chunks).decode()
    assert "\0" not in text
    assert not text or text.endswith("\n")


@given(st.lists(st.text("ab\n", max_size=50), max_size=10), st.integers(0, 100))
def test_what_is_over_the_limit_is_announced_and_its_tail_shown(
    chunks: list[str], limit: int
) -> None:
    whole = "".join(chunks)
    text = written(*(chunk.encode() for chunk in chunks), limit=limit).decode()
    lines = [line for line in text.splitlines() if not line.startswith(" !  ")]
    expected = whole.split("\n")
    assert lines == (expected[:-1] if expected[-1] == "" else expected)
