"""Certificates of the local cluster, made by openssl: the cluster's own and the gateway's.

Keys never leave the state folder, which only root may read, except the local CA's certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from haikube.local.command import run

_DAYS = "3650"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One leaf certificate: its file name, its subject and what it is valid for."""

    name: str
    subject: str
    alternatives: tuple[str, ...] = ()


def node_certificates(node_name: str, node_ip: str, service_ip: str) -> list[Certificate]:
    """Return the certificates that the components of one node show each other."""
    service = "kubernetes.default.svc"
    names = ("kubernetes", "kubernetes.default", service, f"{service}.cluster.local", "localhost")
    server = tuple(f"DNS:{name}" for name in names)
    addresses = tuple(f"IP:{address}" for address in ("127.0.0.1", service_ip, node_ip))
    return [
        Certificate("apiserver", "/CN=kube-apiserver", server + addresses),
        Certificate("admin", "/O=system:masters/CN=admin"),
        Certificate(
            "kubelet",
            f"/O=system:nodes/CN=system:node:{node_name}",
            (f"DNS:{node_name}", f"IP:{node_ip}"),
        ),
        Certificate("controller-manager", "/CN=system:kube-controller-manager"),
        Certificate("scheduler", "/CN=system:kube-scheduler"),
        Certificate("proxy", "/CN=system:kube-proxy"),
        Certificate("dns", "/O=system:masters/CN=dns"),
        Certificate("kubelet-client", "/O=system:masters/CN=apiserver-kubelet-client"),
    ]


def make_authority(folder: Path, common_name: str) -> None:
    """Make ``ca.crt`` and ``ca.key`` unless they exist."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / "ca.crt").exists():
        return
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", _DAYS, "-subj", f"/CN={common_name}"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        *("-keyout", folder / "ca.key", "-out", folder / "ca.crt"),
    )


def make_certificate(folder: Path, certificate: Certificate) -> None:
    """Make a certificate signed by the folder's authority unless it exists."""
    crt, key = (folder / f"{certificate.name}.{end}" for end in ("crt", "key"))
    if crt.exists():
        return
    request, extensions = (folder / f"{certificate.name}.{end}" for end in ("csr", "ext"))
    extensions.write_text(_extensions(certificate))
    run(
        *("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-subj", certificate.subject, "-keyout", key, "-out", request),
    )
    run(
        *("openssl", "x509", "-req", "-in", request, "-days", _DAYS, "-extfile", extensions),
        *("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial", "-out", crt),
    )


def make_signing_key(folder: Path) -> None:
    """Make ``sa.key`` and ``sa.pub``, which sign and check service account tokens."""
    if (folder / "sa.pub").exists():
        return
    run("openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", folder / "sa.key")
    run("openssl", "ec", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub")


def _extensions(certificate: Certificate) -> str:
    lines = ["extendedKeyUsage=serverAuth,clientAuth"]
    if certificate.alternatives:
        lines.append(f"subjectAltName={','.join(certificate.alternatives)}")
    return "\n".join(lines) + "\n"
