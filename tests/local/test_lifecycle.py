"""A second, real node beside the user's: started, killed, started again, and gone without trace."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from haikube.local import node
from haikube.local.images import ImageSources
from haikube.local.instance import Instance
from haikube.local.kubectl import Kubectl
from haikube.local.native import NativeProvider
from haikube.local.options import LocalOptions
from haikube.local.paths import PACKAGE, Paths, data_root, lock_file
from haikube.local.process import wait_gone
from haikube.local.steps import run_steps
from haikube.local.tools import wheel_program

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.timeout(180)]
INSTANCE = Instance("haikubetest")
LIMIT = 60
"""Seconds; 5 on an idle machine of two cores, where 20 are allowed. Tests share theirs."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[NativeProvider]:
    """Return a provider with state of its own and the programs of the user's cache."""
    paths, cache = Paths(tmp_path / "c"), Paths.default()
    paths.cache.mkdir()
    for shared in (cache.binaries, cache.layers):
        (paths.cache / shared.name).symlink_to(shared)
    options = LocalOptions(instance=INSTANCE.name, http_port=free_port(), https_port=free_port())
    made = NativeProvider(ImageSources(paths, data_root(), PACKAGE.parent, lock_file(), options))
    yield made
    made.stop()


def start(provider: NativeProvider) -> tuple[float, list[str]]:
    lines: list[str] = []
    return run_steps(provider.node_steps(), lines.append), lines


def kubectl(provider: NativeProvider) -> Kubectl:
    paths = provider.sources.paths
    return Kubectl(wheel_program(paths, "kubectl"), paths.kubeconfig)


def traces(state: Path) -> list[str]:
    """Return mounts and processes of this machine that name the node's state folder."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(state) in line]
    return mounts + [
        str(folder)
        for folder in Path("/proc").glob("[0-9]*")
        if folder.name != str(os.getpid()) and str(state) in command_line(folder)
    ]


def dns_answer(server: str, name: str) -> bytes:
    """Return the packed IPv4 address at the end of a DNS server's answer about a name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        header = b"\x12\x34\x01\x00\x00\x01" + bytes(6)
        client.sendto(header + labels + b"\x00\x00\x01\x00\x01", (server, 53))
        return client.recv(512)[-4:]


def command_line(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def test_a_killed_node_comes_back_with_its_objects_and_leaves_nothing(
    provider: NativeProvider,
) -> None:
    state = provider.sources.paths.state
    seconds, lines = start(provider)
    assert seconds <= LIMIT, "\n".join(lines)
    record = node.Record.load(state)
    assert record is not None
    server = record.link(INSTANCE).node
    assert dns_answer(server, "kubernetes.default.svc.cluster.local") == bytes([10, 96, 0, 1])
    kubectl(provider)("create", "configmap", "kept", "--from-literal=a=b")

    holder = INSTANCE.running()
    assert holder is not None
    os.kill(holder.pid, signal.SIGKILL)
    assert wait_gone(holder, 60)
    assert any("iptables rule" in words for words in node.leftovers(INSTANCE))

    start(provider)
    assert "b" in kubectl(provider)("get", "configmap", "kept", "-o", "jsonpath={.data.a}")
    _, again = start(provider)
    assert any("it runs already" in line for line in again)
    assert "answers" in provider.status()["control plane"]

    assert provider.stop() == []
    assert node.leftovers(INSTANCE) == []
    assert traces(state) == []
    assert not INSTANCE.pid_file.exists()
    assert provider.stop() == [], "down of nothing is fine"
