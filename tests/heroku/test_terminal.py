"""What needs a real terminal: prompts, keys, sizes, somebody who walks away, a long tail."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from heroku.person import Ada

_PATIENCE = 90.0
_PRINTED = r"app\[run\.\d{4}\]:(\x1b\[\d+m)? "
"""What comes before a one-off dyno's own words, coloured at a terminal."""


@dataclass
class Terminal:
    """The Heroku CLI at a terminal of 100 by 30."""

    process: subprocess.Popen[bytes]
    master: int
    seen: str = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def expect(self, pattern: str, seconds: float = _PATIENCE) -> re.Match[str]:
        """Read until a pattern is on the screen; what comes before it is forgotten."""
        end = time.monotonic() + seconds
        while (found := re.search(pattern, self.seen)) is None:
            ready, _, _ = select.select([self.master], [], [], max(0.0, end - time.monotonic()))
            try:
                data = os.read(self.master, 65536) if ready else b""
            except OSError:
                data = b""
            assert data, f"no {pattern!r} in {self.seen[-2000:]!r}"
            self.seen += data.decode(errors="replace")
        self.seen = self.seen[found.end() :]
        return found

    def ended(self) -> int:
        """Return the exit code."""
        with contextlib.suppress(OSError, AssertionError):
            self.expect(r"\Znever", 20)
        return self.process.wait(60)


@contextmanager
def terminal(ada: Ada, *words: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen(
        ("heroku", *words),
        env=ada.environment | {"TERM": "xterm"},
        cwd=ada.home,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(master)


@pytest.fixture
def app(ada: Ada) -> str:
    """Return her app with a dyno to look into, whatever a scenario before has changed."""
    ada.settle()
    return ada.names["app"]


def test_a_shell_has_a_prompt_a_size_and_keys(ada: Ada, app: str) -> None:
    with terminal(ada, "run", "-a", app, "bash --norc") as shell:
        shell.expect(r"up, run\.\d{4}")
        shell.expect(r"\$ ")
        shell.type("stty size; tty; echo $TERM\r")
        shell.expect(r"30 100\s+/dev/pts/\d+\s+xterm")
        shell.type("sleep 600\r")
        shell.expect("sleep 600")
        time.sleep(1)
        shell.type("\x03")
        shell.type("echo interrupted=$?\r")
        shell.expect("interrupted=130")
        shell.type("exit 5\r")
        assert shell.ended() == 0


def test_an_exit_code_reaches_the_shell(ada: Ada, app: str) -> None:
    with terminal(ada, "run", "-x", "-a", app, "bash --norc") as shell:
        shell.expect(r"\$ ")
        shell.type("exit 7\r")
        assert shell.ended() == 7


def test_end_of_input_ends_a_program(ada: Ada, app: str) -> None:
    # The CLI shows the command itself, before it has taken the terminal over.
    with terminal(ada, "run", "-a", app, "echo rea''dy; cat; echo ov''er") as shell:
        shell.expect("ready")
        shell.type("typed\r")
        shell.expect("typed")
        shell.type("\x04")
        shell.expect("over")
        assert shell.ended() == 0


def test_whoever_walks_away_leaves_nothing_running(ada: Ada, app: str) -> None:
    with terminal(ada, "run", "-a", app, "bash --norc") as shell:
        name = shell.expect(r"up, (run\.\d{4})")[1]
        shell.expect(r"\$ ")
        assert name in ada.must("heroku", "ps", "-a", app)
    end = time.monotonic() + _PATIENCE
    while name in ada.must("heroku", "ps", "-a", app):
        assert time.monotonic() < end, f"{name} still runs"
        time.sleep(1)


@pytest.mark.parametrize(
    "words", [("run",), ("run", "--no-tty"), ("run:inside", "web.1"), ("run:inside", "-x", "web.1")]
)
@pytest.mark.parametrize("last", ["echo the last", "printf 'the last'"])
def test_the_last_words_are_seen_whatever_they_end_with(
    ada: Ada, app: str, words: tuple[str, ...], last: str
) -> None:
    for number in range(2):
        line = f"seq 300; {last} {number}" if "echo" in last else f"seq 300; {last[:-1]} {number}'"
        with terminal(ada, words[0], "-a", app, *words[1:], line) as shell:
            shell.expect(r"\n299\r*\n300\r*\n")
            shell.expect(f"the last {number}")
            assert shell.ended() == 0


def test_a_tail_goes_on_until_it_is_interrupted(ada: Ada, app: str) -> None:
    with terminal(ada, "logs", "--tail", "-a", app) as tail:
        ada.must("heroku", "ps:restart", "-a", app)  # others may fill the last hundred lines
        tail.expect(r"web\.1")
        ada.must("heroku", "run:detached", "-a", app, "echo seen by the tail")
        tail.expect(_PRINTED + "seen by the tail")
        tail.process.send_signal(signal.SIGINT)
        assert tail.ended() != 1


def test_a_run_that_is_detached_can_be_followed(ada: Ada, app: str) -> None:
    with terminal(
        ada, "run:detached", "--tail", "-a", app, "echo begun; sleep 2; echo over"
    ) as run:
        run.expect(_PRINTED + "begun")
        run.expect(_PRINTED + "over")
