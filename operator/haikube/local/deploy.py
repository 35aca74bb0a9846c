"""What `up` applies: a kustomization made for this machine around ``manifests/overlays/local``.

The overlay says what the platform is; the generated one adds what only this machine knows: tags
of the images, the local CA, further CAs that builds must trust, and the Stack.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from haikube.local import pki
from haikube.local.command import LocalError
from haikube.local.images import STACK
from haikube.local.options import LocalOptions
from haikube.settings import PLATFORM

NAMESPACE = PLATFORM
GATEWAY_NAMESPACE = "haikube-gateway"
LOGS_NAMESPACE = "haikube-logs"
POD_LOGS = Path("/var/log/pods")
"""Where the kubelet keeps what pods print, unless it is told another place."""

CA_CONFIGMAP = "haikube-ca"
_VOLUME_FILE = "storage-volume.yaml"
_FIXED_NAME = {"options": {"disableNameSuffixHash": True}}
_HOST = "localhost/"
_CERTIFICATE_END = "-----END CERTIFICATE-----"
_SHIPPED_AUTHORITIES = Path("/usr/share/ca-certificates")


@dataclass(frozen=True, slots=True)
class Deployment:
    """The inputs of the generated kustomization."""

    folder: Path
    overlay: Path
    references: Mapping[str, str]
    options: LocalOptions
    extra_authorities: str = ""
    pod_logs: Path = POD_LOGS
    storage: Path | None = None
    """Where this node keeps the storage's bytes; None where the cluster finds a place itself."""

    def files(self) -> dict[str, str]:
        """Return the content of each generated file by its name."""
        files = {"kustomization.yaml": yaml.safe_dump(self.kustomization(), sort_keys=False)}
        if self.extra_authorities:
            files["ca-bundle.crt"] = self.extra_authorities
        if self.storage:
            files[_VOLUME_FILE] = yaml.safe_dump(storage_volume(self.storage), sort_keys=False)
        return files

    def kustomization(self) -> dict[str, object]:
        """Return the kustomization: the overlay with tags, settings, certificates and keys."""
        return {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [
                os.path.relpath(self.overlay, self.folder),
                *([_VOLUME_FILE] if self.storage else []),
            ],
            "images": list(image_edits(self.references)),
            "patches": [
                {"patch": yaml.safe_dump(patch, sort_keys=False)}
                for patch in (self.stack(), self.collector())
            ],
            "configMapGenerator": self._config_maps(),
            "secretGenerator": _secrets(),
        }

    def _config_maps(self) -> list[dict[str, object]]:
        literals = [f"{name}={value}" for name, value in self.settings().items()]
        settings = {**_placed("haikube-settings"), "behavior": "merge", "literals": literals}
        if not self.extra_authorities:
            return [settings]
        return [settings, {**_placed(CA_CONFIGMAP), **_FIXED_NAME, "files": ["ca-bundle.crt"]}]

    def settings(self) -> dict[str, str]:
        """Return the settings that only this machine knows."""
        data = {"HAIKUBE_PUBLIC_PORT": str(self.options.http_port)}
        if self.extra_authorities:
            data["HAIKUBE_CA_BUNDLE_CONFIGMAP"] = CA_CONFIGMAP
        if self.options.build_env:
            data["HAIKUBE_BUILD_ENV"] = build_env(self.options.build_env)
        return data

    def collector(self) -> dict[str, object]:
        """Return the patch that shows the collector where this node keeps its pods' logs."""
        volume = {"name": "pods", "hostPath": {"path": str(self.pod_logs)}}
        return {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": _placed("haikube-collector", LOGS_NAMESPACE),
            "spec": {"template": {"spec": {"volumes": [volume]}}},
        }

    def stack(self) -> dict[str, object]:
        """Return the patch that gives the Stack the images of this checkout."""
        return {
            "apiVersion": "haikube.dev/v1alpha1",
            "kind": "Stack",
            "metadata": {"name": STACK},
            "spec": {"runImage": self.references["run"], "buildImage": self.references["build"]},
        }


def storage_volume(folder: Path) -> dict[str, object]:
    """Return the volume that a folder of the node is, claimed by the storage alone.

    Its bytes outlive the pod, which every change of its manifest replaces.
    """
    here = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "haikube-storage"},
        "spec": {
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
            | _placed("haikube-storage"),
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }


def build_env(text: str) -> str:
    """Return the environment of builds as one line of JSON.

    Raises:
        LocalError: when it is no JSON object of strings.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise LocalError(f"HAIKUBE_BUILD_ENV={text!r} is no JSON: {error}") from error
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise LocalError(f'HAIKUBE_BUILD_ENV={text!r}: give an object, e.g. {{"PIP_RETRIES": "5"}}')
    return json.dumps(value, sort_keys=True)


def image_edits(references: Mapping[str, str]) -> Iterable[dict[str, str]]:
    """Yield kustomize's image edits: the names in manifests/ become those of this checkout."""
    for _, reference in sorted(references.items()):
        name, _, tag = reference.rpartition(":")
        yield {"name": name.removeprefix(_HOST), "newName": name, "newTag": tag}


def _placed(name: str, namespace: str = NAMESPACE) -> dict[str, object]:
    return {"name": name, "namespace": namespace}


def _secrets() -> list[dict[str, object]]:
    certificate = {"type": "kubernetes.io/tls", "files": ["tls.crt", "tls.key"]}
    return [
        {**_placed("haikube-gateway-tls", GATEWAY_NAMESPACE), **_FIXED_NAME, **certificate},
        {**_placed("haikube-storage"), **_FIXED_NAME, "envs": ["storage.env"]},
        *(
            {**_placed("haikube-log-store", place), **_FIXED_NAME, "envs": ["logs.env"]}
            for place in (NAMESPACE, LOGS_NAMESPACE)
        ),
    ]


def write_deployment(deployment: Deployment, authority: Path) -> None:
    """Write the kustomization with the gateway's certificate and the storage's keys beside it."""
    folder = deployment.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if deployment.storage:
        deployment.storage.mkdir(exist_ok=True)
    for name, text in deployment.files().items():
        (folder / name).write_text(text)
    certificate = gateway_certificate()
    pki.make_authority(authority, "haikube-local")
    pki.make_certificate(authority, certificate)
    chain = (authority / f"{certificate.name}.crt", authority / "ca.crt")
    (folder / "tls.crt").write_text("".join(path.read_text() for path in chain))
    (folder / "tls.key").write_text((authority / f"{certificate.name}.key").read_text())
    _write_storage_keys(folder / "storage.env")
    _write_log_store_keys(folder / "logs.env")


def gateway_certificate() -> pki.Certificate:
    """Return the certificate for every app below ``localhost``."""
    names = ("localhost", "*.localhost", "api.localhost")
    return pki.Certificate("gateway", "/CN=*.localhost", tuple(f"DNS:{name}" for name in names))


def _write_storage_keys(path: Path) -> None:
    """Make the storage's keys once: they must stay those of the running storage."""
    if path.exists():
        return
    keys = {
        "HAIKUBE_STORAGE_ACCESS_KEY": secrets.token_hex(10),
        "HAIKUBE_STORAGE_SECRET_KEY": secrets.token_hex(20),
    }
    path.write_text("".join(f"{name}={value}\n" for name, value in keys.items()))


def _write_log_store_keys(path: Path) -> None:
    """Make the log store's password once: for the api, for the store, and for the collector."""
    if path.exists():
        return
    password = secrets.token_hex(20)
    basic = base64.b64encode(f"haikube:{password}".encode()).decode()
    path.write_text(f"HAIKUBE_LOG_STORE_PASSWORD={password}\nHAIKUBE_LOG_STORE_BASIC={basic}\n")


def extra_authorities(bundle: Path, shipped: Path = _SHIPPED_AUTHORITIES) -> str:
    """Return the CAs of the host that its distribution does not ship: a company's, a proxy's."""
    if not bundle.exists():
        return ""
    known = {pem for path in shipped.rglob("*.crt") for pem in split_pem(path.read_text())}
    return "".join(pem for pem in split_pem(bundle.read_text()) if pem not in known)


def split_pem(text: str) -> list[str]:
    """Return the certificates of a PEM text, each normalised to its own lines."""
    parts = (
        part.rpartition("-----BEGIN CERTIFICATE-----") for part in text.split(_CERTIFICATE_END)
    )
    return [f"{begin}{body.rstrip()}\n{_CERTIFICATE_END}\n" for _, begin, body in parts if begin]
