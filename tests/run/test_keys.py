"""What a client types, and where its input ends."""

from __future__ import annotations

import pytest

from haikube.run.command import Command, exit_line, parse_command
from haikube.run.keys import Keys, Typed


@pytest.mark.parametrize(
    ("frames", "typed"),
    [
        ([b"hello\n", b"\x04"], [Typed(b"hello\n"), Typed(b"", over=True)]),
        ([b"hello\n\x04"], [Typed(b"hello\n", over=True)]),
        ([b"a\x04b"], [Typed(b"a\x04b")]),
        ([b"\x03"], [Typed(b"\x03")]),
    ],
)
def test_pipes_end_with_the_word_for_it(frames: list[bytes], typed: list[Typed]) -> None:
    keys = Keys(tty=False)
    assert [keys.take(frame, 0.0) for frame in frames] == typed


@pytest.mark.parametrize(
    ("frames", "given"),
    [
        ([(0.0, b"\x04")], [b"\x04"]),
        ([(0.0, b"hello\n"), (0.01, b"\x04")], [b"hello\n", b"\x04"]),
        ([(0.0, b"hello"), (0.01, b"\x04")], [b"hello", b"\x04\x04"]),
        ([(0.0, b"hello\x04")], [b"hello\x04\x04"]),
        ([(0.0, b"hello\n\x04")], [b"hello\n\x04"]),
        ([(0.0, b"l"), (0.5, b"s"), (1.0, b"\x04")], [b"l", b"s", b"\x04"]),
        ([(0.0, b"\x1b[A\x03")], [b"\x1b[A\x03"]),
    ],
)
def test_a_terminal_gets_every_key_and_a_programs_end_twice(
    frames: list[tuple[float, bytes]], given: list[bytes]
) -> None:
    keys = Keys(tty=True)
    assert [keys.take(data, now) for now, data in frames] == [Typed(each) for each in given]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("ls -l", Command("ls -l", told=False)),
        ('exit 3 ; echo "\uffff heroku-command-exit-status: $?"', Command("exit 3", told=True)),
        ('a "b" ; echo "\\uFFFF heroku-command-exit-status: $?"', Command('a "b"', told=True)),
        ('echo "\uffff heroku-command-exit-status: $?" ; ls', None),
    ],
)
def test_the_request_for_an_exit_code(text: str, command: Command | None) -> None:
    assert parse_command(text) == (command or Command(text, told=False))


def test_the_line_that_tells_it() -> None:
    assert exit_line(3).decode() == "\uffff heroku-command-exit-status: 3\n"
