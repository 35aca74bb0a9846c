"""Checks before anything is changed: each problem comes with its remedy, all of them at once."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from haikube.local import tools
from haikube.local.command import LocalError
from haikube.local.options import LocalOptions
from haikube.local.paths import Paths

FREE_BYTES = 10 * 10**9
_ENDING_SECONDS = 15.0
_POLL_SECONDS = 0.1
_HIDDEN_FOLDERS = ("/run", "/var/lib", "/var/log")


@dataclass(frozen=True, slots=True)
class Facts:
    """What matters of this machine, gathered once."""

    root: bool
    free_bytes: int
    missing_packages: tuple[str, ...]
    has_apt: bool
    cache: Path
    busy_ports: tuple[int, ...]
    cgroups: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that would make ``up`` fail, and what to do about it."""

    what: str
    remedy: str


def gather(paths: Paths, options: LocalOptions, *, node_runs: bool, ending: bool) -> Facts:
    """Return the facts of this machine; the ports of a running node are its own.

    One that was killed holds them until the last of its processes has ended: then ``ending``.
    """
    paths.cache.mkdir(parents=True, exist_ok=True)
    ports = () if node_runs else (options.http_port, options.https_port)
    patience = _ENDING_SECONDS if ending else 0.0
    return Facts(
        root=os.geteuid() == 0,
        free_bytes=shutil.disk_usage(paths.cache).free,
        missing_packages=tuple(tools.missing_packages()),
        has_apt=shutil.which("apt-get") is not None,
        cache=paths.cache,
        busy_ports=_busy(options.address, ports, patience),
        cgroups=any(Path("/sys/fs/cgroup").glob("*")),
    )


def _busy(address: str, ports: Sequence[int], patience: float) -> tuple[int, ...]:
    """Return the ports that are in use, still when the seconds of patience are over."""
    limit = time.monotonic() + patience
    while busy := tuple(port for port in ports if _is_busy(address, port)):
        if time.monotonic() >= limit:
            break
        time.sleep(_POLL_SECONDS)
    return busy


def _is_busy(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return True
    return False


def problems(facts: Facts) -> list[Problem]:
    """Return everything that stands in the way of a native node."""
    found = [
        _not_root(facts),
        _disk(facts),
        _packages(facts),
        _cgroups(facts),
        _cache_place(facts),
        *(_port(port) for port in facts.busy_ports),
    ]
    return [problem for problem in found if problem]


def _not_root(facts: Facts) -> Problem | None:
    if facts.root:
        return None
    return Problem(
        "the native node needs root: it makes namespaces, mounts and a network of its own",
        "run it with sudo -E, or start a Docker engine and set HAIKUBE_LOCAL_PROVIDER=kind",
    )


def _disk(facts: Facts) -> Problem | None:
    if facts.free_bytes >= FREE_BYTES:
        return None
    return Problem(
        f"only {facts.free_bytes / 1e9:.1f} GB are free at {facts.cache}, {FREE_BYTES / 1e9:.0f} "
        "GB are needed",
        "free some space, or set XDG_CACHE_HOME to a folder on a larger disk",
    )


def _packages(facts: Facts) -> Problem | None:
    if not facts.missing_packages or (facts.has_apt and facts.root):
        return None
    names = " ".join(facts.missing_packages)
    return Problem(
        f"programs are missing; Debian has them in: {names}",
        "install them with your system's package manager",
    )


def _cgroups(facts: Facts) -> Problem | None:
    if facts.cgroups:
        return None
    return Problem(
        "no control groups are mounted at /sys/fs/cgroup",
        "mount them: mount -t cgroup2 none /sys/fs/cgroup",
    )


def _cache_place(facts: Facts) -> Problem | None:
    below = next((top for top in _HIDDEN_FOLDERS if facts.cache.is_relative_to(top)), None)
    if below is None:
        return None
    return Problem(
        f"the cache {facts.cache} lies below {below}, which the node hides behind its own",
        "set XDG_CACHE_HOME to a folder elsewhere, e.g. /opt/haikube",
    )


def _port(port: int) -> Problem:
    setting = "HAIKUBE_LOCAL_HTTP_PORT or HAIKUBE_LOCAL_HTTPS_PORT"
    return Problem(
        f"port {port} of this machine is in use by another program",
        f"end that program (ss -ltnp 'sport = :{port}' names it), or set {setting}",
    )


def require(found: Sequence[Problem]) -> None:
    """Raise one error that lists every problem and its remedy, unless there is none."""
    if found:
        lines = [f"  - {problem.what}\n      remedy: {problem.remedy}" for problem in found]
        raise LocalError("\n".join(["this machine is not ready:", *lines]))
