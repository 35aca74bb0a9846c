"""What keeps a machine from running the node is told at once, each with its remedy."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from haikube.local import preflight
from haikube.local.command import LocalError
from haikube.local.options import LocalOptions
from haikube.local.paths import Paths
from haikube.local.preflight import Facts, gather, problems, require

GOOD = Facts(
    root=True,
    free_bytes=50 * 10**9,
    missing_packages=(),
    has_apt=True,
    cache=Path("/root/.cache/haikube"),
    busy_ports=(),
    cgroups=True,
)


def test_a_good_machine_has_no_problem() -> None:
    assert problems(GOOD) == []
    require([])


@pytest.mark.parametrize(
    ("change", "what", "remedy"),
    [
        ({"root": False}, "needs root", "sudo -E"),
        ({"free_bytes": 3_200_000_000}, "only 3.2 GB are free", "XDG_CACHE_HOME"),
        ({"cgroups": False}, "no control groups", "mount -t cgroup2"),
        ({"busy_ports": (8080,)}, "port 8080", "HAIKUBE_LOCAL_HTTP_PORT"),
        ({"cache": Path("/var/lib/me/haikube")}, "below /var/lib", "XDG_CACHE_HOME"),
        ({"missing_packages": ("runc",), "has_apt": False}, "runc", "package manager"),
        ({"missing_packages": ("runc",), "root": False}, "runc", "package manager"),
    ],
)
def test_each_problem_names_the_value_and_the_remedy(
    change: dict[str, object], what: str, remedy: str
) -> None:
    found = problems(dataclasses.replace(GOOD, **change))  # type: ignore[arg-type]  # table

    assert any(what in p.what and remedy in p.remedy for p in found), found


def test_missing_packages_are_no_problem_where_apt_installs_them() -> None:
    assert problems(dataclasses.replace(GOOD, missing_packages=("runc",))) == []


def test_all_problems_are_told_at_once() -> None:
    bad = dataclasses.replace(GOOD, root=False, free_bytes=1)

    with pytest.raises(LocalError) as caught:
        require(problems(bad))

    assert str(caught.value).count("remedy:") == 2


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def busy(server: socket.socket, tmp_path: Path, **state: bool) -> int:
    port = server.getsockname()[1]
    options = LocalOptions(http_port=port, https_port=port)
    known = {"node_runs": False, "ending": False, **state}
    return len(gather(Paths(tmp_path), options, **known).busy_ports)


def test_a_busy_port_is_found_unless_the_node_holds_it(
    server: socket.socket, tmp_path: Path
) -> None:
    assert busy(server, tmp_path) == 2
    assert busy(server, tmp_path, node_runs=True) == 0


def test_a_killed_node_may_hold_its_ports_for_moments(
    server: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: server.close())
    monkeypatch.setattr(preflight, "time", clock)

    assert busy(server, tmp_path, ending=True) == 0


def test_a_port_that_stays_busy_after_a_kill_is_a_problem(
    server: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=partial(next, count()), sleep=lambda _: None)
    monkeypatch.setattr(preflight, "time", clock)

    assert busy(server, tmp_path, ending=True) == 2
