"""Process 1 of a dyno: who is told to end, who is waited for, and what is said of it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from buildpacks.process_one import HEEDS_SIGNALS, ProcessOne, bash, compiled


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("dyno"))


@pytest.fixture
def one(program: Path, tmp_path: Path) -> ProcessOne:
    return ProcessOne(program, tmp_path)


SHAPES = {
    "bare": "exec app web 0.3",
    "script without exec": "bash -c 'echo starting; app web 0.3; echo over'",
    "script in a script": "sh -c 'sh -c \"app web 0.3; true\"; true'",
    "semicolon": "app web 0.3; echo bye",
    "and": "true && app web 0.3",
    "background": "app web 0.3 & wait",
    "pipe": "app web 0.3 | cat",
    "two pipes": "app web 0.3 2>&1 | tee log | cat",
    "process substitution": "exec > >(cat); exec app web 0.3",
    "a session of its own": "setsid app web 0.3 & wait",
    "a reader that is a server": "yes | app web 0.3",
    "fed by a file": "app web 0.3 < <(sleep 9)",
    "coprocess": "coproc app web 0.3; wait",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_the_shape_the_process_finishes_its_work(one: ProcessOne, shape: str) -> None:
    with one.start(*bash(SHAPES[shape])) as dyno:
        dyno.stop("web")

    if shape == "coprocess":  # its output goes to the shell that is gone
        return
    assert "web stopped cleanly after 1 signal" in dyno.output


ORDERLY = Path("/tmp/.haikube-orderly")  # noqa: S108 - where process 1 looks
"""Says which sessions are ended by the parent of their first process."""

SPARED = f"""
mkdir -p {ORDERLY}
trap 'touch told; sleep 0.5; kill -s USR1 $child; wait $child; rm -f {ORDERLY}/$child; exit 0' TERM
setsid python3 -c '
import signal, time
signal.signal(signal.SIGTERM, lambda *_: open("cut off", "w").close())
signal.signal(signal.SIGUSR1, lambda *_: (open("finished", "w").close(), exit(0)))
open("web.up", "w").close()
while True: time.sleep(1)
' & child=$!
: >{ORDERLY}/$child
"""


def test_who_is_ended_by_its_parent_hears_of_that_alone(one: ProcessOne) -> None:
    with one.start(*bash(f"{SPARED}\nwhile :; do wait; done")) as dyno:
        assert dyno.stop("web") == 0

    found = {path.name for path in one.folder.iterdir()}
    assert {"told", "finished"} <= found
    assert "cut off" not in found


def test_who_has_lost_that_parent_is_told_like_everybody(one: ProcessOne) -> None:
    line = f"({SPARED}\ndisown; kill -9 $BASHPID) & wait; touch orphaned.up; sleep 60 & wait"
    with one.start("--grace", "2", *bash(line)) as dyno:
        dyno.stop("web", "orphaned")

    assert "cut off" in {path.name for path in one.folder.iterdir()}


def test_a_circle_of_pipes_is_told_to_end_like_everybody(one: ProcessOne) -> None:
    loop = "(trap 'touch {0}; exit' TERM; while :; do sleep 0.1; done) <&${1} >&${2} &"
    circle = f"exec {{x}}<> <(:) {{y}}<> <(:); {loop.format('one', 'x', 'y')} "
    circle += f"{loop.format('two', 'y', 'x')} touch web.up; wait"
    with one.start("--grace", "10", *bash(circle)) as dyno:
        started = time.monotonic()
        dyno.stop("web")

    assert time.monotonic() - started < 8
    assert {"one", "two"} <= {path.name for path in one.folder.iterdir()}


def test_a_dyno_lives_until_the_last_of_its_processes_ended(one: ProcessOne) -> None:
    line = "(setsid app slow 1.2 &) ; app quick 0.1 & app other 0.5"
    with one.start(*bash(line)) as dyno:
        dyno.stop("slow", "quick", "other")

    assert [each for each in dyno.output.split() if each in {"slow", "quick", "other"}][3:] == [
        "quick",
        "other",
        "slow",
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("kill -KILL $$", 137),
        ("kill -SEGV $$", 139),
        ("nowhere", 127),
    ],
)
def test_the_exit_code_of_the_command_is_kept(one: ProcessOne, line: str, code: int) -> None:
    assert one.run(*bash(line))[0] == code


def test_the_exit_code_after_sigterm_is_that_of_the_command(one: ProcessOne) -> None:
    with one.start(*bash("trap 'exit 3' TERM; app web 0.2 & touch web.up; wait")) as dyno:
        assert dyno.stop("web") == 3


def test_a_command_that_is_not_there_is_said(one: ProcessOne) -> None:
    code, said = one.run("--", "/nowhere/x")

    assert (code, said) == (127, "/nowhere/x: No such file or directory\n")


def test_when_the_command_ends_the_others_are_told_to(one: ProcessOne) -> None:
    code, said = one.run(
        *bash("app helper 0.3 & until [ -e helper.up ]; do sleep 0.05; done; exit 4")
    )

    assert code == 4
    assert "helper stopped cleanly" in said


def test_who_does_not_end_in_time_is_killed_and_named_r12(one: ProcessOne) -> None:
    with one.start("--grace", "1", *bash("trap '' TERM; touch web.up; sleep 60; sleep 60")) as dyno:
        started = time.monotonic()
        code = dyno.stop("web")

    assert code == 137
    assert 0.9 < time.monotonic() - started < 8
    words = "Error R12 (Exit timeout) -> At least one process failed to exit within 1 seconds of "
    assert f"{words}SIGTERM\n" in dyno.output


def test_a_second_sigterm_is_not_passed_on(one: ProcessOne) -> None:
    with one.start(*bash("app web 0.5")) as dyno:
        dyno.up("web")
        dyno.send(signal.SIGTERM)
        time.sleep(0.1)
        dyno.stop()

    assert "after 1 signal" in dyno.output


def test_orphans_are_reaped(one: ProcessOne) -> None:
    line = "for i in 1 2 3; do (true &) ; done; sleep 0.3; ps -eo stat= | grep -c Z; true"

    assert one.run(*bash(line)) == (0, "0\n")


HEARS = """
import signal, sys
sent = [signal.SIGUSR1, signal.SIGINT]
signal.pthread_sigmask(signal.SIG_BLOCK, sent)
open("web.up", "w").close()
print(*(signal.sigwait(sent).name for _ in sent))
"""
"""Takes signals whenever they come: bash drops a SIGINT that comes just after its child ended."""


def test_other_signals_reach_the_command(one: ProcessOne) -> None:
    with one.start("--", sys.executable, "-c", HEARS) as dyno:
        dyno.up("web")
        dyno.send(signal.SIGUSR1)
        dyno.send(signal.SIGINT)
        assert dyno.wait() == 0

    assert sorted(dyno.output.split()) == ["SIGINT", "SIGUSR1"]


def test_a_web_dyno_that_cannot_be_reached_in_time_is_r10(one: ProcessOne) -> None:
    code, said = one.run("--web", "9", "--boot", "1", *bash("trap '' TERM; sleep 60"))

    assert code == 137
    words = "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 1 seconds of "
    assert said.endswith(f"{words}launch\n")


def test_it_runs_as_process_1_alone(program: Path) -> None:
    """Its signals go to every process there is: elsewhere that is the whole machine."""
    done = subprocess.run([program, "--", "/bin/true"], capture_output=True, check=False)

    assert done.returncode == 64
    assert b"as process 1 alone" in done.stderr


# What runs first, in the platform's environment

BENT = {
    "http_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "TMPDIR": "/app/nowhere",
    "TAR_OPTIONS": "--verbose",
    "LD_PRELOAD": "libm.so.6",
    "LD_LIBRARY_PATH": "/app/lib",
    "SSL_CERT_FILE": "/app/ca.pem",
    "CURL_HOME": "/app",
    "BASH_ENV": "/app/env.sh",
    "BASHOPTS": "failglob",
    "SHELLOPTS": "noexec",
    "IFS": "a",
    "POSIXLY_CORRECT": "1",
    "LC_ALL": "tr_TR.UTF-8",
    "PATH": "bin:/nowhere",
    "HEROKU_RELEASE_VERSION": "v7",
}


def script(one: ProcessOne, text: str) -> str:
    path = one.folder / "first"
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_no_config_var_reaches_the_platforms_own_step(one: ProcessOne) -> None:
    first = script(one, "/usr/bin/env | sort; readlink /proc/self/fd/0; echo words: $*")
    code, said = one.run("--first", f"{first} a b", "--", "/bin/true", environment=BENT)

    assert code == 0
    shown = [each for each in said.splitlines() if not each.startswith(("_=", "PWD=", "SHLVL="))]
    assert shown == [
        "HEROKU_RELEASE_VERSION=v7",
        "HOME=/tmp",
        "LANG=C.UTF-8",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "/dev/null",
        "words: a b",
    ]


def test_the_command_gets_all_of_them_and_nothing_of_the_cluster(one: ProcessOne) -> None:
    hidden = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_PORT_443_TCP": "tcp://x"}
    kept = {
        "KUBERNETES_MASTER": "mine",
        "KUBERNETES_SERVICE_ACCOUNT": "mine",
        "HAIKUBE_POD": "hello-web-6d4f-x7k2p",
        **BENT,
    }
    _, said = one.run(
        "--", "/usr/bin/env", environment={**kept, **hidden, "HOME": "/", "DYNO": "x"}
    )

    told = dict(each.split("=", 1) for each in said.splitlines())
    assert told == {**kept, "HOME": "/app", "DYNO": "run.x7k2p"}


@pytest.mark.parametrize(
    ("pod", "kind", "name"),
    [("a-web-6d4f-x7k2p", "web", "web.x7k2p"), ("run-1", "", "run.1"), ("x", "run", "run.x")],
)
def test_a_dyno_without_a_name_is_called_by_its_pod(
    one: ProcessOne, pod: str, kind: str, name: str
) -> None:
    told = {"HAIKUBE_POD": pod, "HAIKUBE_PROCESS_TYPE": kind}

    assert one.run(*bash("echo $DYNO"), environment=told) == (0, f"{name}\n")


def test_nothing_runs_when_the_first_step_fails(one: ProcessOne) -> None:
    first = script(one, "echo not usable; exit 5")

    assert one.run("--first", first, *bash("echo it ran")) == (5, "not usable\n")


def test_a_dyno_that_is_stopped_while_it_boots_ends_at_once(one: ProcessOne) -> None:
    first = script(one, "touch first.up; sleep 60")
    with one.start("--first", first, *bash("echo it ran")) as dyno:
        assert dyno.stop("first") == 143

    assert dyno.output == ""


def test_what_the_first_step_leaves_does_not_end_the_dyno(one: ProcessOne) -> None:
    first = script(one, "sleep 0.4 & exit 0")

    assert one.run("--first", first, *bash("sleep 0.6; echo it ran")) == (0, "it ran\n")


# Sessions


def test_an_attached_dyno_waits_for_the_line_of_its_session(one: ProcessOne) -> None:
    with one.start("--attach", "20", *bash("touch up; cat"), stdin=subprocess.PIPE) as dyno:
        assert dyno.process.stdin is not None
        time.sleep(0.3)
        assert not (one.folder / "up").exists()
        dyno.process.stdin.write(b"\nfirst\nsecond")
        dyno.process.stdin.close()
        assert dyno.wait() == 0

    assert dyno.output == "first\nsecond"


@pytest.mark.parametrize("closed", ["open", "closed"])
def test_a_session_that_never_comes_is_r13(one: ProcessOne, closed: str) -> None:
    with one.start("--attach", "1", *bash("echo it ran"), stdin=subprocess.PIPE) as dyno:
        if closed == "closed" and dyno.process.stdin:
            dyno.process.stdin.close()
        assert dyno.wait() == 128

    assert dyno.output == "Error R13 (Attach error) -> Failed to attach to process\n"


def test_a_dyno_that_waits_for_its_session_can_be_stopped(one: ProcessOne) -> None:
    with one.start("--attach", "60", *bash("echo it ran"), stdin=subprocess.PIPE) as dyno:
        time.sleep(0.2)
        assert dyno.stop() == 143

    assert dyno.output == ""


def test_a_terminal_echoes_nothing_before_the_session_and_is_the_commands(one: ProcessOne) -> None:
    ours, theirs = pty.openpty()
    line = "stty -a | grep -o ' echo '; ps -o stat= -p $$ | grep -o '+'; read x; echo got $x"
    words = ["--attach", "20", *bash(line)]
    with one.start(*words, stdin=theirs) as dyno:
        time.sleep(0.3)
        os.write(ours, b"\nhello\n")
        assert dyno.wait() == 0
    os.close(ours)
    os.close(theirs)

    assert "got hello" in dyno.output
    assert " echo " in dyno.output


# What was printed last


def read_until_it_ends(process: subprocess.Popen[bytes], output: int) -> bytes:
    """Return what is read as by a busy container runtime: late, little, nothing after the end."""
    os.set_blocking(output, False)
    seen = b""
    while process.poll() is None:
        with suppress(BlockingIOError):
            seen += os.read(output, 8192)
        time.sleep(0.05)
    return seen


@pytest.mark.parametrize("last", ["echo last", "printf last", "yes | head -c 60000; echo last"])
def test_what_was_printed_last_waits_for_its_reader(one: ProcessOne, last: str) -> None:
    ours, theirs = os.pipe()
    with one.start(*bash(f"echo first; {last}"), output=theirs) as dyno:
        os.close(theirs)
        seen = read_until_it_ends(dyno.process, ours)
    os.close(ours)

    assert seen.startswith(b"first\n")
    assert seen.rstrip(b"\n").endswith(b"last")
    assert dyno.process.returncode == 0


def test_nobody_waits_long_for_a_reader_that_reads_nothing(one: ProcessOne) -> None:
    ours, theirs = os.pipe()
    with one.start(*bash("echo unread; exit 3"), output=theirs) as dyno:
        os.close(theirs)
        assert dyno.wait(60) == 3
    os.close(ours)


# Second processes


def test_a_second_process_has_the_commands_environment_and_can_be_hung_up(one: ProcessOne) -> None:
    program = str(one.program)
    hup = "trap 'echo $DYNO hung up; exit' HUP; touch up; while :; do sleep 0.05; done"
    line = f'{program} inside s-1 /bin/bash -c "$1" & until [ -e up ]; do sleep 0.05; done; '
    line += f"{program} hang-up s-1; wait; {program} hang-up s-1; echo again $?"
    words = ("--", "/bin/bash", "-c", line, "bash", hup)
    environment = {"HAIKUBE_POD": "hello-web-6d4f-x7k2p", "HAIKUBE_PROCESS_TYPE": "web"}

    code, said = one.run(*words, environment=environment)

    assert code == 0
    assert said.removeprefix("Hangup\n") == "web.x7k2p hung up\nagain 1\n"


@contextmanager
def in_a_terminal(program: Path, line: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a line as a second process that a session with a terminal starts."""
    ours, theirs = pty.openpty()
    take = f'exec 0<>{os.ttyname(theirs)} >&0 2>&0 && exec "$@"'
    words = (program, "inside", "s-2", "/bin/bash", "-c", line)
    process = subprocess.Popen([*HEEDS_SIGNALS, "setsid", "/bin/bash", "-c", take, "bash", *words])
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("last", ["echo last", "printf last", "kill -9 $$"])
def test_the_last_line_in_a_terminal_waits_for_its_reader(program: Path, last: str) -> None:
    line = f"echo first; sleep 0.2; echo; {last}"
    with in_a_terminal(program, line) as (process, terminal):
        seen = read_until_it_ends(process, terminal)

    assert seen.startswith(b"first\r\n\r\n")
    assert process.returncode == (137 if "kill" in last else 0)
    assert (b"last" in seen) == ("last" in last)


def test_keys_of_a_terminal_are_a_second_processs_own(program: Path) -> None:
    line = "trap 'echo interrupted; exit 5' INT; echo up; while :; do sleep 0.05; done"
    with in_a_terminal(program, line) as (process, terminal):
        assert os.read(terminal, 64).startswith(b"up")
        os.write(terminal, b"\x03")
        assert b"interrupted" in read_until_it_ends(process, terminal)

    assert process.returncode == 5


@pytest.mark.parametrize("words", [["inside", "x"], ["hang-up"], ["listening", "80"], [], ["--x"]])
def test_wrong_words_are_refused(program: Path, words: list[str]) -> None:
    done = subprocess.run([program, *words], capture_output=True, check=False)

    assert done.returncode == 64
