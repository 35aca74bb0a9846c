"""The native node: one tree of processes in namespaces of its own, started and ended as one.

The tree's first process is written down with its start time. Ending it ends every component,
container and mount; the network namespace and the veth pair go with the last process.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import shlex
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from haikube.local import cgroups, disk, network, pki
from haikube.local.command import LocalError, said, succeeds
from haikube.local.instance import Instance
from haikube.local.kubectl import told_before
from haikube.local.network import Link
from haikube.local.nodeconfig import (
    NODE_NAME,
    SERVICE_IP,
    NodeLayout,
    component_lines,
    config_files,
)
from haikube.local.options import LocalOptions
from haikube.local.paths import PACKAGE
from haikube.local.process import Process, children
from haikube.local.resolvers import host_resolvers

_FOLDERS = ("log", "etcd", "kubelet", "run", "cni", "pod-logs", "plugins")
_POLL_SECONDS = 0.1
_RELEASE_SECONDS = 30.0
_LOOK_SECONDS = 30.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Record:
    """What must be known to take a node away again, written before anything is changed."""

    subnet: str
    forwarding: str

    @classmethod
    def load(cls, state: Path) -> Record | None:
        """Return the record of a state folder, or None where no node was started."""
        try:
            return cls(**json.loads((state / "node.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, state: Path) -> None:
        """Write the record to the state folder."""
        text = json.dumps({"subnet": self.subnet, "forwarding": self.forwarding})
        (state / "node.json").write_text(text)

    def link(self, instance: Instance) -> Link:
        """Return the wire of the recorded node."""
        return Link(ipaddress.IPv4Network(self.subnet), instance)


def answers(state: Path) -> bool:
    """Return whether the API server of a state folder's node says it is ready."""
    record = Record.load(state)
    authority = state / "pki" / "ca.crt"
    if record is None or not authority.exists():
        return False
    context = ssl.create_default_context(cafile=authority)
    address = str(ipaddress.IPv4Network(record.subnet)[2])
    connection = http.client.HTTPSConnection(address, 6443, context=context, timeout=3)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def choose_record(state: Path, options: LocalOptions, instance: Instance) -> Record:
    """Return the record of a node to start: that of the last run where it still fits."""
    last, routes = Record.load(state), network.host_routes(instance)
    if last and options.subnet in {"", last.subnet} and last.link(instance).free_of(routes):
        return last
    link = network.choose_link(options.subnet, routes, instance)
    return Record(str(link.subnet), last.forwarding if last else network.forwarding())


def prepare(node: NodeLayout, record: Record, options: LocalOptions) -> None:
    """Write certificates, configuration and start lines of a node."""
    node.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    node.containerd.mkdir(parents=True, exist_ok=True)
    if record != Record.load(node.state):
        _forget_address(node.state)
    record.save(node.state)
    for folder in _FOLDERS:
        (node.state / folder).mkdir(exist_ok=True)
    for busy in node.busy_folders:
        _await(partial(_released, busy), _RELEASE_SECONDS, "the disk of a node that has ended")
        disk.provide(busy)
    _make_certificates(node)
    for name, text in node_files(node, options).items():
        (node.state / name).write_text(text)
    shutil.copyfile(node.state / "admin.kubeconfig", node.state / "kubeconfig")


def node_files(node: NodeLayout, options: LocalOptions) -> dict[str, str]:
    """Return the content of every file that a node is started from."""
    return {
        **config_files(node, host_resolvers()),
        "components.sh": component_lines(node),
        "disks.sh": disk.mount_lines(*node.busy_folders),
        "forwarders.sh": forwarder_line(node, options),
    }


def is_current(node: NodeLayout, options: LocalOptions) -> bool:
    """Return whether the node was started from the very files it would be started from now."""
    wanted = {node.state / name: text for name, text in node_files(node, options).items()}
    return all(path.exists() and path.read_text() == text for path, text in wanted.items())


def _released(folder: Path) -> bool:
    return not disk.is_mounted(folder)


def _forget_address(state: Path) -> None:
    """Remove the certificates that hold the node's former address."""
    for name in ("apiserver", "kubelet"):
        (state / "pki" / f"{name}.crt").unlink(missing_ok=True)


def _make_certificates(node: NodeLayout) -> None:
    folder = node.state / "pki"
    pki.make_authority(folder, "haikube-local-cluster")
    pki.make_signing_key(folder)
    for certificate in pki.node_certificates(NODE_NAME, node.address, SERVICE_IP):
        pki.make_certificate(folder, certificate)


def forwarder_line(node: NodeLayout, options: LocalOptions) -> str:
    """Return the shell line that forwards the host's ports to the gateway in the node."""
    ports = {options.http_port: 8080, options.https_port: 8443}
    pairs = [f"{options.address}:{host}={node.address}:{inner}" for host, inner in ports.items()]
    argv = ["forward", sys.executable, "-I", str(PACKAGE / "forward.py"), *pairs]
    return f"run {shlex.join(argv)}\n"


def start(node: NodeLayout, link: Link) -> None:
    """Start the tree, lay its wire and open its way out."""
    cgroups.create(node.cgroup)
    network.disconnect(link.instance)
    process = _spawn(node.state)
    process.save(link.instance.pid_file)
    first = _await(lambda: _own_network(process), 10.0, "the node's network namespace")
    network.connect(link, first)
    network.open_egress(link)


def _spawn(state: Path) -> Process:
    namespaces = ("--mount", "--propagation", "private", "--pid", "--uts", "--ipc")
    script = str(PACKAGE / "node-init.sh")
    argv = ["unshare", *namespaces, "--fork", "--kill-child", "bash", script, "host", str(state)]
    with (state / "log" / "init.log").open("ab") as log:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    child.returncode = 0  # it is meant to outlive us: no warning about a child still running
    return Process.of(child.pid)


def _own_network(process: Process) -> int | None:
    """Return the pid of the node's first process once it has left the host's network."""
    if not process.alive:
        raise LocalError("the node ended at once; see log/init.log in the state folder")
    ours = Path("/proc/self/ns/net").readlink()
    for pid in children(process.pid):
        try:
            if Path(f"/proc/{pid}/ns/net").readlink() != ours:
                return pid
        except OSError:
            continue
    return None


def wait_containerd(node: NodeLayout) -> None:
    """Return when containerd takes images."""
    ctr = ("ctr", "--address", node.socket, "version")
    _await(lambda: node.socket.exists() and succeeds(*ctr), 20.0, "containerd")


def wait_ready(state: Path, kubectl: Path, begun: datetime, timeout: float) -> None:
    """Return when the control plane answers, the node takes pods and pods get their accounts.

    Pods of a killed node of before are given time to be looked at by this one's kubelet.
    """
    _await(lambda: answers(state), timeout, "the API server")
    ctl = (kubectl, "--kubeconfig", state / "kubeconfig", "--request-timeout", "5s")
    ready = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    query = (*ctl, "get", "node", NODE_NAME, "-o", ready)
    _await(lambda: said(*query) == "True", timeout, "the node to be Ready")
    account = (*ctl, "-n", "default", "get", "serviceaccount", "default")
    _await(lambda: succeeds(*account), timeout, "the default service account")
    pods = (*ctl, "get", "pods", "--all-namespaces", "-o", "json")
    with suppress(LocalError):  # one that hangs keeps nobody from a cluster
        _await(
            lambda: _looked_at(said(*pods), begun),
            _LOOK_SECONDS,
            "the kubelet to look at its pods",
        )


def _looked_at(listing: str, begun: datetime) -> bool:
    """Tell whether a list of pods came, and holds none as a node of before told it."""
    return bool(listing) and not told_before(json.loads(listing)["items"], begun)


def _await(probe: Callable[[], T | None], timeout: float, what: str) -> T:
    limit = time.monotonic() + timeout
    while not (found := probe()):
        if time.monotonic() > limit:
            raise LocalError(
                f"waited {timeout:.0f} s for {what}; read the logs with `haikube local status`, "
                "or start afresh with `haikube local down`"
            )
        time.sleep(_POLL_SECONDS)
    return found


def stop(state: Path, instance: Instance) -> list[str]:
    """End the tree and undo what it changed on the host; return what could not be undone.

    Works from what is found, so it also clears up after a run that was killed half way.
    """
    left = [f"process {process.pid}" for process in instance.tree() if not process.kill()]
    network.disconnect(instance)
    network.close_egress(instance)
    record = Record.load(state)
    if record:
        network.restore_forwarding(record.forwarding)
    left += [f"control group {group}" for group in cgroups.remove(instance.mark)]
    instance.pid_file.unlink(missing_ok=True)
    return left


def leftovers(instance: Instance) -> list[str]:
    """Return what an ended node should have taken along, as words for people."""
    found = [f"control group {group}" for group in cgroups.leftovers(instance.mark)]
    if network.connected(instance):
        found.append(f"network interface {instance.interface}")
    rules = network.egress_rules(instance)
    return found + [f"iptables rule {' '.join(rule)}" for rule in rules]
