"""The readiness probe of a web dyno: what counts as listening, and how long it waits."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal import eventually

LISTENING = Path(__file__).parents[2] / "buildpacks" / "launcher" / "listening"
ANY = "0.0.0.0"  # noqa: S104 - what a web process binds to
IPV6 = [("::", 0), ("::1", 1)] if socket.has_dualstack_ipv6() else []


def probe(port: int, seconds: int = 0, *seen: Path, **env: str) -> int:
    words = [LISTENING, str(port), str(seconds), *seen]
    return subprocess.run(words, env={"PATH": "/nowhere"} | env, check=False).returncode


@pytest.fixture
def port() -> Iterator[int]:
    """Yield a port that nobody listens on, reserved by a socket that does not listen."""
    with socket.socket() as held:
        held.bind((ANY, 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize(("host", "code"), [(ANY, 0), ("127.0.0.1", 1), ("127.1.2.3", 1), *IPV6])
def test_a_process_that_others_can_reach_is_up(host: str, code: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        assert probe(server.getsockname()[1]) == code


def test_nobody_listens(port: int) -> None:
    assert probe(port) == 1


def test_it_is_told_as_soon_as_a_process_listens() -> None:
    with socket.socket() as late:
        late.bind((ANY, 0))
        port = late.getsockname()[1]
        with subprocess.Popen([LISTENING, str(port), "30"]) as waiting:
            assert waiting.poll() is None
            late.listen()
            assert waiting.wait(20) == 0


def test_it_rests_once_it_has_seen_the_process_listen(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with socket.create_server((ANY, 0)) as server:
        port = server.getsockname()[1]
        assert probe(port, 30, seen) == 0
    assert seen.exists()
    with subprocess.Popen([LISTENING, str(port), "30", seen], env={"PATH": "/nowhere"}) as rest:
        eventually(lambda: name_of(rest.pid) == "sleep", "it rests, though nobody listens")
        rest.kill()
    assert probe(port, 0, seen) == 0


def name_of(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text("utf-8").strip()


def test_a_dyno_that_never_listened_is_not_remembered(port: int, tmp_path: Path) -> None:
    assert probe(port, 0, tmp_path / "seen") == 1
    assert not (tmp_path / "seen").exists()


def test_the_slice_ends(port: int) -> None:
    started = time.monotonic()
    assert probe(port, 1) == 1
    assert time.monotonic() - started < 10


def test_config_vars_do_not_reach_in(port: int, tmp_path: Path) -> None:
    script = tmp_path / "env.sh"
    script.write_text("exit 0\n")
    assert probe(port, BASH_ENV=str(script)) == 1
