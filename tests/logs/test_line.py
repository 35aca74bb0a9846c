"""What a dyno may write, and how it is shown: always behind its own prefix."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikube.logs.line import LONGEST, Line, Selection, pieces, read_stamp, shown

FORGED = b"2026-01-01T00:00:00.000000+00:00 heroku[router]: at=info"
COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"plain", ["plain"]),
        (b"", [""]),
        (b"a\tb", ["a\tb"]),
        (b"\x1b[1;31mred\x1b[0m", ["\x1b[1;31mred\x1b[0m"]),
        ("grüße 😀".encode(), ["grüße 😀"]),
        (b"dos\r", ["dos"]),
        (b"x\r" + FORGED, ["x", FORGED.decode()]),
        (b"\x1b[2K\x1b[1G" + FORGED, ["\\x1b[2K\\x1b[1G" + FORGED.decode()]),
        (b"\x08\x08" + FORGED, ["\\x08\\x08" + FORGED.decode()]),
        (b"\x1b]0;title\x07", ["\\x1b]0;title\\x07"]),
        ("\x9b2J\u2028next\x85".encode(), ["\\x9b2J\\u2028next\\x85"]),
        (b"\x00\xff\xfe", ["\\x00\ufffd\ufffd"]),
    ],
)
def test_what_could_act_on_a_terminal_is_shown(raw: bytes, lines: list[str]) -> None:
    assert shown(raw) == lines


@given(st.binary())
def test_no_text_leaves_its_line(raw: bytes) -> None:
    for line in shown(raw.replace(b"\n", b"")):
        bare = COLOUR.sub("", line)
        assert len(bare.splitlines()) <= 1
        assert all(char == "\t" or char.isprintable() or ord(char) >= 0xA0 for char in bare)


@given(st.text(min_size=1).map(str.encode), st.integers(1, 40_000))
def test_a_long_line_is_cut_between_characters(text: bytes, size: int) -> None:
    raw = (text * (size // len(text) + 1))[:size]
    parts = list(pieces(raw))

    assert b"".join(parts) == raw
    assert all(len(part) <= LONGEST for part in parts)
    assert all(len(part) > LONGEST - 4 for part in parts[:-1])


def test_pieces_of_valid_text_are_valid() -> None:
    assert all(part.decode() for part in pieces("é€😀".encode() * 3000))


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789"),
        ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000000"),
        ("2026-01-02T03:04:05.123456789+02:00", "2026-01-02T01:04:05.123456789"),
    ],
)
def test_times_are_utc_to_the_nanosecond(text: str, stamp: str) -> None:
    assert read_stamp(text) == stamp


@pytest.mark.parametrize("text", ["", "now", "2026-01-02", "unable to retrieve"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no RFC 3339 time"):
        read_stamp(text)


@pytest.mark.parametrize(
    ("selection", "lines"),
    [
        (Selection(), "abcd"),
        (Selection(source="app"), "ad"),
        (Selection(source="heroku"), "bc"),
        (Selection(dyno="web"), "ab"),
        (Selection(dyno="web.1"), "ab"),
        (Selection("heroku", "router"), "c"),
        (Selection("app", "web.2"), ""),
    ],
)
def test_a_selection(selection: Selection, lines: str) -> None:
    every = {
        "a": Line("", "app", "web.1", ""),
        "b": Line("", "heroku", "web.1", ""),
        "c": Line("", "heroku", "router", ""),
        "d": Line("", "app", "api", ""),
    }
    assert "".join(name for name, line in every.items() if line in selection) == lines


def test_the_form_is_herokus() -> None:
    line = Line("2026-11-22T10:49:35.000001999", "app", "web.1", "hello")
    assert str(line) == "2026-11-22T10:49:35.000001+00:00 app[web.1]: hello"
