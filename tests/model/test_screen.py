"""What may reach a terminal: words and colours, however a stream is cut into chunks."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from haikube.model.screen import Sieve, clean

HOSTILE = st.lists(
    st.sampled_from(
        [
            "\x1b[31m",
            "\x1b[0m",
            "\x1b[2J",
            "\x1b]0;title\x07",
            "\x1b]52;c;cm0gLXJm\x1b\\",
            "\x1b[6n",
            "\x9b31m",
            "\x90q",
            "\u202e",
            "\u2066",
            "\r",
            "\r\n",
            "\n",
            "\t",
            "\x08",
            "\x7f",
            "é",
            "日本",
            "\u2010",
            "\u2042",
            "plain",
        ]
    )
).map("".join)
COLOUR = re.compile("\x1b\\[[0-9;]*m")


def acting(text: str) -> list[str]:
    """Return what a terminal would obey, colours aside."""
    bare = COLOUR.sub("", text.replace("\r\n", "\n"))
    turning = {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e"}
    turning |= {"\u2066", "\u2067", "\u2068", "\u2069"}
    return [
        char
        for char in bare
        if char in turning or "\x7f" <= char <= "\x9f" or (char < " " and char not in "\t\n")
    ]


def sieved(data: bytes, cuts: list[int]) -> bytes:
    sieve, places = Sieve(), sorted({cut % (len(data) + 1) for cut in cuts})
    ends = [0, *places, len(data)]
    taken = [sieve.take(data[start:end]) for start, end in pairwise(ends)]
    return b"".join([*taken, sieve.end()])


@given(HOSTILE | st.text())
def test_no_control_character_is_left(text: str) -> None:
    cleaned = clean(text + "\x1b[31mred\x1b[0m\t\x1b]0;title\x07\x1b[2J\r")
    assert not acting(cleaned)
    assert "\x1b[31mred\x1b[0m\t" in cleaned


@given(HOSTILE, st.lists(st.integers(0, 500), max_size=8))
def test_a_stream_is_cleaned_wherever_it_is_cut(text: str, cuts: list[int]) -> None:
    data = text.encode()
    whole = sieved(data, [])
    assert sieved(data, cuts) == whole
    assert not acting(whole.decode())


@given(st.binary(), st.lists(st.integers(0, 500), max_size=8))
def test_a_stream_keeps_its_length(data: bytes, cuts: list[int]) -> None:
    assert len(sieved(data, cuts)) == len(data)


@given(st.text(st.characters(exclude_categories=["C"])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text
    assert sieved(text.encode(), []) == text.encode()


def test_nothing_is_kept_back_for_long() -> None:
    sieve = Sieve()
    assert sieve.take(b"a\x1b[31") == b"a"
    assert sieve.take(b"mred") == b"\x1b[31mred"
    assert sieve.take(b"\x1b" + b"[" + b"1" * 40) == b"?[" + b"1" * 40
