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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from haikube.local import cgroups, network, pki
from haikube.local.command import LocalError, run, succeeds
from haikube.local.network import Link
from haikube.local.nodeconfig import (
    NODE_NAME,
    SERVICE_IP,
    NodeLayout,
    component_lines,
    config_files,
    upstream_resolvers,
)
from haikube.local.options import LocalOptions
from haikube.local.paths import PACKAGE
from haikube.local.process import Process, children

_FOLDERS = ("log", "etcd", "kubelet", "run", "cni", "pod-logs", "plugins")
_RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
_POLL_SECONDS = 0.1
PID_FILE = Path("/run/haikube-local.pid")
"""In /run: one node per machine, known even when its state folder was deleted under it."""

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

    @property
    def link(self) -> Link:
        """The wire of the recorded node."""
        return Link(ipaddress.IPv4Network(self.subnet))


def running() -> Process | None:
    """Return the process that holds this machine's node, or None while it does not run."""
    process = Process.load(PID_FILE)
    return process if process and process.alive else None


def first_process() -> int | None:
    """Return the pid, as the host sees it, of the node's process 1."""
    process = running()
    found = children(process.pid) if process else []
    return found[0] if found else None


def answers(state: Path) -> bool:
    """Return whether the API server of a state folder's node says it is ready."""
    record = Record.load(state)
    authority = state / "pki" / "ca.crt"
    if record is None or not authority.exists():
        return False
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(record.link.node, 6443, context=context, timeout=3)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def choose_record(state: Path, options: LocalOptions) -> Record:
    """Return the record of a node to start: that of the last run where it still fits."""
    last = Record.load(state)
    if last and options.subnet in {"", last.subnet}:
        return last
    link = network.choose_link(options.subnet, network.host_routes())
    before = last.forwarding if last else network.forwarding()
    return Record(str(link.subnet), before)


def prepare(node: NodeLayout, record: Record, options: LocalOptions) -> None:
    """Write certificates, configuration and start lines of a node."""
    node.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    node.containerd.mkdir(parents=True, exist_ok=True)
    record.save(node.state)
    for folder in _FOLDERS:
        (node.state / folder).mkdir(exist_ok=True)
    _make_certificates(node)
    for name, text in config_files(node, host_resolvers()).items():
        (node.state / name).write_text(text)
    (node.state / "components.sh").write_text(component_lines(node))
    (node.state / "forwarders.sh").write_text(forwarder_line(node, options))
    shutil.copyfile(node.state / "admin.kubeconfig", node.state / "kubeconfig")


def host_resolvers(files: Sequence[Path] = _RESOLVERS) -> str:
    """Return the first resolv.conf of the host that names a resolver beyond its loopback."""
    texts = [path.read_text() for path in files if path.exists()]
    return next((text for text in texts if "nameserver" in upstream_resolvers(text)), "")


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


def start(node: NodeLayout, record: Record) -> None:
    """Start the tree, lay its wire and open its way out."""
    cgroups.create()
    network.disconnect()
    process = _spawn(node.state)
    process.save(PID_FILE)
    first = _await(lambda: _own_network(process), 10.0, "the node's network namespace")
    network.connect(record.link, first)
    network.open_egress(record.link)


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


def wait_ready(state: Path, kubectl: Path, timeout: float) -> None:
    """Return when the control plane answers, the node takes pods and pods get their accounts."""
    _await(lambda: answers(state), timeout, "the API server")
    ctl = (kubectl, "--kubeconfig", state / "kubeconfig", "--request-timeout", "5s")
    ready = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    query = (*ctl, "get", "node", NODE_NAME, "-o", ready)
    _await(lambda: succeeds(*query) and run(*query) == "True", timeout, "the node to be Ready")
    account = (*ctl, "-n", "default", "get", "serviceaccount", "default")
    _await(lambda: succeeds(*account), timeout, "the default service account")


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


def stop(state: Path) -> list[str]:
    """End the tree and undo what it changed on the host; return what could not be undone.

    Works from what is found, so it also clears up after a run that was killed half way.
    """
    left = []
    process = Process.load(PID_FILE)
    if process and process.alive:
        tree = [process, *(Process.of(pid) for pid in children(process.pid))]
        left += [f"process {member.pid}" for member in tree if not member.kill()]
    network.disconnect()
    network.close_egress()
    record = Record.load(state)
    if record:
        network.restore_forwarding(record.forwarding)
    left += [f"control group {group}" for group in cgroups.remove()]
    PID_FILE.unlink(missing_ok=True)
    return left
