"""A bare control plane on loopback: etcd, API server and controller manager of the native node.

There is no node and no scheduler: ``kubelet.Kubelet`` says of pods what a kubelet would. It starts
in seconds, and has the CRDs, the rights and the policies of the platform.
"""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from haikube.cluster.credentials import Credentials, static_token
from haikube.local import pki, tools
from haikube.local.command import run, succeeds
from haikube.local.paths import Paths, data_root
from storage.seaweed import free_ports

SYSTEM = "haikube-system"
_START_SECONDS = 90.0
_POLL_SECONDS = 0.1
_SERVICES = "10.96.0.0/16"
_CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "job-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
)
_NOT_HERE = frozenset({"Deployment", "DaemonSet", "StatefulSet", "Service", "ConfigMap", "Secret"})
"""Kinds of the platform's manifests that need nodes, or are made by an overlay."""

Objects = list[dict[str, Any]]


@dataclass(frozen=True)
class Plane:
    """A running control plane; ``folder`` holds its files."""

    folder: Path
    port: int
    etcd: int = 0

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return f"https://127.0.0.1:{self.port}"

    def credentials(self) -> Credentials:
        """Return those of the administrator, for clients in this process."""
        tls = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        tls.load_cert_chain(self.folder / "admin.crt", self.folder / "admin.key")
        return Credentials(self.server, static_token(""), tls, tls)

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self.folder / "admin.kubeconfig"


@contextmanager
def control_plane(folder: Path, *, controllers: bool = True) -> Iterator[Plane]:
    """Run a control plane with everything of the platform that needs no node."""
    binary = tools.kubernetes(Paths.default())
    etcd, peer, port = free_ports(3)
    plane = Plane(folder, port, etcd)
    _make_certificates(folder)
    plane.kubeconfig.write_text(yaml.safe_dump(_kubeconfig(plane)))
    running = []
    try:
        running.append(_started(folder, binary, "etcd", _etcd(folder, etcd, peer)))
        running.append(_started(folder, binary, "kube-apiserver", _apiserver(folder, etcd, port)))
        _await_ready(plane, running)
        _install(plane)
        if controllers:  # after the CRDs: of later ones they would hear half a minute later
            manager = _started(folder, binary, "kube-controller-manager", _manager(folder))
            running.append(manager)
        yield plane
    finally:
        for process in reversed(running):
            process.kill()
            process.wait(60)


def _make_certificates(folder: Path) -> None:
    pki.make_authority(folder, "haikube-faults")
    pki.make_signing_key(folder)
    for each in pki.node_certificates("none", "127.0.0.1", "10.96.0.1"):
        if each.name in {"apiserver", "admin"}:
            pki.make_certificate(folder, each)


def _kubeconfig(plane: Plane) -> Mapping[str, object]:
    cluster = {"server": plane.server, "certificate-authority": str(plane.folder / "ca.crt")}
    certificate, key = (str(plane.folder / f"admin.{end}") for end in ("crt", "key"))
    user = {"client-certificate": certificate, "client-key": key}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "faults", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "faults", "context": {"cluster": "faults", "user": "admin"}}],
        "current-context": "faults",
    }


def _started(
    folder: Path, binary: Path, program: str, options: Mapping[str, object]
) -> subprocess.Popen[bytes]:
    flags = [f"--{name}={value}" for name, value in options.items()]
    with (folder / f"{program}.log").open("wb") as log:
        return subprocess.Popen((binary, program, *flags), stdout=log, stderr=log)


def _etcd(folder: Path, client: int, peer: int) -> Mapping[str, object]:
    here, others = (f"http://127.0.0.1:{port}" for port in (client, peer))
    return {
        "data-dir": folder / "etcd",
        "listen-client-urls": here,
        "advertise-client-urls": here,
        "listen-peer-urls": others,
        "initial-advertise-peer-urls": others,
        "initial-cluster": f"default={others}",
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }


def _apiserver(folder: Path, etcd: int, port: int) -> Mapping[str, object]:
    return {
        "etcd-servers": f"http://127.0.0.1:{etcd}",
        "bind-address": "127.0.0.1",
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",
        "secure-port": port,
        "service-cluster-ip-range": _SERVICES,
        "authorization-mode": "RBAC",
        "enable-admission-plugins": "OwnerReferencesPermissionEnforcement",
        "client-ca-file": folder / "ca.crt",
        "tls-cert-file": folder / "apiserver.crt",
        "tls-private-key-file": folder / "apiserver.key",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": folder / "sa.pub",
        "service-account-signing-key-file": folder / "sa.key",
    }


def _manager(folder: Path) -> Mapping[str, object]:
    return {
        "kubeconfig": folder / "admin.kubeconfig",
        "leader-elect": "false",
        "controllers": ",".join(_CONTROLLERS),
        "use-service-account-credentials": "false",
        "service-account-private-key-file": folder / "sa.key",
        "secure-port": 0,
        "kube-api-qps": 500,
        "kube-api-burst": 1000,
    }


def _await_ready(plane: Plane, running: list[subprocess.Popen[bytes]]) -> None:
    limit = time.monotonic() + _START_SECONDS
    while not succeeds(*_kubectl(plane, "get", "--raw", "/readyz")):
        dead = [each.args for each in running if each.poll() is not None]
        assert not dead, f"{dead} ended: see {plane.folder}"
        assert time.monotonic() < limit, f"no API server after {_START_SECONDS} s"
        time.sleep(_POLL_SECONDS)


def _kubectl(plane: Plane, *words: str) -> tuple[str, ...]:
    return ("kubectl", "--kubeconfig", str(plane.kubeconfig), *words)


def _install(plane: Plane) -> None:
    """Apply the CRDs first, then what the operator may do."""
    gateway = tools.gateway_api_crds(Paths.default())
    crds = [
        *sorted((data_root() / "crds").glob("*.yaml")),
        *(next(gateway.glob(f"*_{kind}.yaml")) for kind in ("gateways", "httproutes")),
    ]
    named = [
        document
        for path in crds
        for document in yaml.safe_load_all(path.read_text())
        if document["kind"] == "CustomResourceDefinition"
    ]
    _apply(plane, named)
    run(*_kubectl(plane, "wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"))
    _apply(plane, [each for each in _platform() if each["kind"] not in _NOT_HERE])


def _platform() -> Objects:
    """Return the objects of ``manifests/base``, namespaces first."""
    built = run("kubectl", "kustomize", data_root() / "manifests" / "base")
    found: Objects = list(yaml.safe_load_all(built))
    return sorted(found, key=lambda each: each["kind"] != "Namespace")


def _apply(plane: Plane, objects: Objects) -> None:
    words = _kubectl(plane, "apply", "--server-side", "--filename=-")
    run(*words, stdin=yaml.safe_dump_all(objects))
