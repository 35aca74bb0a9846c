"""The readiness probe of a web dyno: what counts as reachable, and how long it waits."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from buildpacks.process_one import compiled
from haikube.build.harness.sandbox import namespaces
from terminal import eventually

ANY = "0.0.0.0"  # noqa: S104 - what a web process binds to
IPV6 = socket.has_dualstack_ipv6()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("dyno"))


@pytest.fixture
def port() -> Iterator[int]:
    """Yield a port that nobody listens on, reserved by a socket that does not listen."""
    with socket.socket() as held:
        held.bind((ANY, 0))
        yield held.getsockname()[1]


def probe(program: Path, port: int, seconds: int = 0, *seen: Path) -> int:
    words = [program, "listening", str(port), str(seconds), *seen]
    return subprocess.run(words, env={}, check=False).returncode


def known_by(program: Path, address: str, port: int) -> int:
    """Probe in a pod that others know by this address."""
    hosts = f"127.0.0.1 localhost\n{address} $(hostname)\nfd00::1 $(hostname)\n"
    line = f'mount --make-rprivate /; cat > "$2" <<END\n{hosts}END\nmount --bind "$2" /etc/hosts; '
    line += f'exec "$1" listening {port} 0'
    file = program.with_name("hosts")
    *flags, _ = namespaces()
    words = [*flags, "--", "bash", "-c", line, "bash", program, file]
    return subprocess.run(words, check=False).returncode


@pytest.mark.parametrize(("host", "code"), [(ANY, 0), ("127.0.0.1", 1), ("127.1.2.3", 1)])
def test_a_process_that_others_can_reach_is_up(program: Path, host: str, code: int) -> None:
    with socket.create_server((host, 0)) as server:
        assert probe(program, server.getsockname()[1]) == code


@pytest.mark.skipif(not IPV6, reason="this machine has no IPv6")
@pytest.mark.parametrize(
    ("host", "both", "by_ipv4", "by_ipv6"),
    [
        ("::", 1, 0, 0),
        ("::", 0, 1, 0),
        ("::1", 0, 1, 1),
        ("::ffff:127.0.0.1", 1, 1, 1),
    ],
)
def test_a_socket_of_ipv6_alone_is_reached_in_a_pod_of_ipv6_alone(
    program: Path, host: str, both: int, by_ipv4: int, by_ipv6: int
) -> None:
    with socket.socket(socket.AF_INET6) as server:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
        server.bind((host, 0))
        server.listen()
        port = server.getsockname()[1]
        assert known_by(program, "10.1.2.3", port) == by_ipv4
        assert known_by(program, "fd00::2", port) == by_ipv6


def test_a_socket_of_ipv4_is_not_reached_in_a_pod_of_ipv6(program: Path) -> None:
    with socket.create_server((ANY, 0)) as server:
        assert known_by(program, "fd00::2", server.getsockname()[1]) == 1


def test_nobody_listens(program: Path, port: int) -> None:
    assert probe(program, port) == 1


def test_it_is_told_as_soon_as_a_process_listens(program: Path) -> None:
    with socket.socket() as late:
        late.bind((ANY, 0))
        port = late.getsockname()[1]
        with subprocess.Popen([program, "listening", str(port), "30"]) as waiting:
            assert waiting.poll() is None
            late.listen()
            assert waiting.wait(60) == 0


def test_it_rests_once_it_has_seen_the_process_listen(program: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with socket.create_server((ANY, 0)) as server:
        port = server.getsockname()[1]
        assert probe(program, port, 30, seen) == 0
    assert seen.exists()
    with subprocess.Popen([program, "listening", str(port), "30", seen]) as rest:
        eventually(lambda: state_of(rest.pid) == "S", "it rests, though nobody listens")
        assert rest.poll() is None
        rest.send_signal(signal.SIGTERM)
        assert rest.wait(60) == -signal.SIGTERM, "a dyno that ends is not ready any more"
    assert probe(program, port, 0, seen) == 0


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]


def test_a_dyno_that_never_listened_is_not_remembered(
    program: Path, port: int, tmp_path: Path
) -> None:
    assert probe(program, port, 0, tmp_path / "seen") == 1
    assert not (tmp_path / "seen").exists()


def test_the_slice_ends(program: Path, port: int) -> None:
    started = time.monotonic()
    assert probe(program, port, 1) == 1
    assert time.monotonic() - started < 10
