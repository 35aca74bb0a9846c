"""What keeps a machine from running the node is told at once, each with its remedy."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

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
def busy_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_busy_port_is_found_unless_the_node_holds_it(busy_port: int, tmp_path: Path) -> None:
    options = LocalOptions(http_port=busy_port, https_port=busy_port)

    assert gather(Paths(tmp_path), options, node_runs=False).busy_ports == (busy_port,) * 2
    assert gather(Paths(tmp_path), options, node_runs=True).busy_ports == ()
