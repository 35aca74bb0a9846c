"""The parts of a push run bare: plain pods of the same images, plain tools, no Haikube.

A pod of the build image runs the same buildpack's compile, packs with ``tar | zstd`` and uploads
with curl; a pod of the run image fetches, unpacks and starts the web process.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from haikube.cli.archive import write_archive
from haikube.settings import Settings
from haikube.storage.s3 import S3Storage
from terminal import CACHE, GATEWAY, Person, eventually

_BUILD = """
set -e
export BUILD_DIR=/build/src CACHE_DIR=/build/cache ENV_DIR=/build/env TMPDIR=/build/tmp
mkdir -p "$BUILD_DIR" "$CACHE_DIR" "$ENV_DIR" "$TMPDIR" /build/packs/0
cp -r "/haikube/buildpacks/$PACK" /haikube/buildpacks/lib /build/packs/0/
tar -xzf /bench/source.tar.gz -C "$BUILD_DIR"
"/build/packs/0/$PACK/bin/compile" "$BUILD_DIR" "$CACHE_DIR" "$ENV_DIR"
tar --create --sort=name --numeric-owner --owner=12345 --group=12345 \
  --transform='flags=rh;s,^\\.,./app,' -C "$BUILD_DIR" . | zstd -q -3 -T0 > /build/slug.tar.zst
curl -sf -T /build/slug.tar.zst "$(cat /bench/slug-put)"
"""
_START = """
curl -sf "$(cat /bench/slug-get)" | zstd -dcq | tar -x -C / ./app
cd /app
for file in .profile.d/*.sh; do . "$file"; done
eval exec "$COMMAND"
"""
_CA_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
                 "NODE_EXTRA_CA_CERTS", "HAIKUBE_CA_BUNDLE")  # fmt: skip
_HOST_CAS = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass
class Bare:
    """One bare run of one source; ``name`` is also the host it answers under."""

    person: Person
    pack: str
    command: str
    name: str = field(default_factory=lambda: f"bare-{secrets.token_hex(3)}")

    def prepare(self, folder: Path) -> None:
        """Make what is not part of the measured work: the Secret, the Service, the route."""
        source = io.BytesIO()
        write_archive(folder, source)
        documents = [
            self._secret(source.getvalue(), asyncio.run(self._urls())),
            _service(self.name),
            _route(self.name),
        ]
        self.person.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(documents))

    def build(self) -> None:
        """Compile, pack and upload in a pod; returns when it has succeeded."""
        pod = f"{self.name}-build"
        self._create(pod, "buildImage", _BUILD)
        self.person.kubectl(
            "wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{pod}", "--timeout=300s"
        )

    def start(self) -> None:
        """Fetch, unpack and start in a pod; returns at the first 200 through the gateway."""
        self._create(self.name, "runImage", _START)
        eventually(lambda: _status(f"{self.name}.localhost") == http.HTTPStatus.OK, "bare 200")

    def remove(self) -> None:
        """Delete everything that was made."""
        self.person.kubectl(
            "delete", f"pod/{self.name}", f"pod/{self.name}-build", f"secret/{self.name}",
            f"service/{self.name}", f"httproute/{self.name}", "--wait=false", "--ignore-not-found",
        )  # fmt: skip

    def _create(self, pod: str, image: str, script: str) -> None:
        stack = self.person.get("stack", "debian-13")
        assert stack is not None
        environment = {
            "HOME": "/app",
            "LANG": "C.UTF-8",
            "STACK": "debian-13",
            "PORT": "8080",
            "DYNO": "web.1",
            "PACK": self.pack,
            "COMMAND": self.command,
        }
        environment |= dict.fromkeys(_CA_VARIABLES, "/bench/ca-bundle.crt")
        body = _pod(pod, self.name, stack["spec"][image], script, environment)
        self.person.kubectl("create", "-f", "-", stdin=yaml.safe_dump(body))

    async def _urls(self) -> dict[str, str]:
        storage = S3Storage(_storage_settings())
        key = f"slugs/bench/{self.name}.tar.zst"
        return {
            "slug-put": await storage.presign("PUT", key, 3600),
            "slug-get": await storage.presign("GET", key, 3600),
        }

    def _secret(self, source: bytes, urls: dict[str, str]) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": self.name},
            "stringData": {"ca-bundle.crt": _HOST_CAS.read_text(), **urls},
            "data": {"source.tar.gz": base64.b64encode(source).decode()},
        }


def _storage_settings() -> Settings:
    """Return the storage as pods reach it: a URL is signed for the host that is in it."""
    pairs = (CACHE / "local" / "deploy" / "storage.env").read_text().split()
    keys = dict(pair.split("=", 1) for pair in pairs)
    return Settings(
        storage_endpoint="http://haikube-storage.haikube-system.svc.cluster.local:8333",
        storage_access_key=keys["HAIKUBE_STORAGE_ACCESS_KEY"],
        storage_secret_key=keys["HAIKUBE_STORAGE_SECRET_KEY"],
    )


def _status(host: str) -> int:
    connection = http.client.HTTPConnection(*GATEWAY, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": f"{host}:8080"})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"bench": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def _route(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {
            "parentRefs": [{"name": "haikube", "namespace": "haikube-gateway"}],
            "hostnames": [f"{name}.localhost"],
            "rules": [{"backendRefs": [{"name": name, "port": 80}]}],
        },
    }


def _pod(
    name: str, bench: str, image: str, script: str, environment: dict[str, str]
) -> dict[str, Any]:
    container = {
        "name": "bare",
        "image": image,
        "command": ["bash", "-c", script],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": "bench", "mountPath": "/bench"},
            {"name": "build", "mountPath": "/build"},
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {} if name.endswith("-build") else {"bench": bench}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 12345,
                "runAsGroup": 12345,
                "fsGroup": 12345,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [
                {"name": "bench", "secret": {"secretName": bench}},
                {"name": "build", "emptyDir": {}},
            ],
        },
    }
