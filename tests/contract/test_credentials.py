"""Where the API server is and how we convince it."""

from __future__ import annotations

import json
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes import config

from haikube.cluster import kubeconfig as loader
from haikube.cluster.credentials import Credentials, static_token
from haikube.cluster.errors import Unauthorized
from haikube.cluster.identity import load
from haikube.cluster.transport import Sessions


def kubeconfig(folder: Path, user: dict[str, Any], **cluster: Any) -> Path:
    """Write a kubeconfig for one user and one cluster."""
    cluster = {"server": "https://127.0.0.1:6443/", **cluster}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(content))
    return path


async def test_a_token_from_a_kubeconfig(tmp_path: Path) -> None:
    found = load(kubeconfig(tmp_path, {"token": "t0k3n"}))

    assert found.server == "https://127.0.0.1:6443"
    assert await found.token() == "t0k3n"
    assert found.tls is found.bare_tls
    assert found.tls is not None
    assert found.tls.verify_mode == ssl.CERT_REQUIRED


async def test_the_environment_names_the_kubeconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kubeconfig(tmp_path, {"token": "t0k3n"})
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))

    assert await load().token() == "t0k3n"


async def test_plain_http_needs_neither_certificates_nor_token(tmp_path: Path) -> None:
    found = load(kubeconfig(tmp_path, {}, server="http://127.0.0.1:8001"))

    assert found.tls is None
    assert await found.token() == ""


def test_a_kubeconfig_may_waive_verification(tmp_path: Path) -> None:
    path = kubeconfig(
        tmp_path, {}, **{"insecure-skip-tls-verify": True, "tls-server-name": "kubernetes"}
    )

    found = load(path)

    assert found.tls is not None
    assert found.tls.verify_mode == ssl.CERT_NONE
    assert found.server_hostname == "kubernetes"


def test_no_kubeconfig_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigException):
        load(tmp_path / "none")


@pytest.fixture
def in_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pretend to be in a pod; returns the file of its token."""
    token, ca = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("first\n")
    ca.write_text(_a_certificate())
    module = "kubernetes.config.incluster_config"
    monkeypatch.setattr(f"{module}.SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(f"{module}.SERVICE_CERT_FILENAME", str(ca))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return token


def _a_certificate() -> str:
    """Return any certificate that OpenSSL accepts: one of the system's own."""
    ders = ssl.create_default_context().get_ca_certs(binary_form=True)
    return ssl.DER_cert_to_PEM_cert(ders[0])


FAR_FUTURE = SimpleNamespace(
    timedelta=timedelta,
    datetime=SimpleNamespace(now=lambda: datetime(2999, 1, 1)),  # noqa: DTZ001 - naive, as there
)
"""A ``datetime`` module in which every token has expired."""


async def test_a_pod_uses_its_service_account(in_pod: Path) -> None:
    del in_pod
    found = load()

    assert found.server == "https://10.0.0.1:443"
    assert await found.token() == "first"


async def test_a_token_is_read_again_after_a_while(
    in_pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "TOKEN_SECONDS", 0.0)
    found = load()
    monkeypatch.setattr("kubernetes.config.incluster_config.datetime", FAR_FUTURE)
    write(in_pod, "second\n")

    assert await found.token() == "second"


async def test_a_token_is_not_read_for_every_request(in_pod: Path) -> None:
    found = load()
    assert await found.token() == "first"
    remove(in_pod)

    assert await found.token() == "first"


async def test_a_lost_token_is_unauthorized(in_pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load()
    monkeypatch.setattr("kubernetes.config.incluster_config.datetime", FAR_FUTURE)
    remove(in_pod)

    with pytest.raises(Unauthorized, match="cannot be read"):
        await found.token()


def write(path: Path, text: str) -> None:
    path.write_text(text)


def remove(path: Path) -> None:
    path.unlink()


async def test_a_caller_never_travels_with_our_certificate() -> None:
    """Connections are apart only where we have a certificate of our own."""
    ours, bare = ssl.create_default_context(), ssl.create_default_context()
    token = static_token("")
    with_certificate = Sessions(Credentials("https://x", token, ours, bare), "tests")
    without = Sessions(Credentials("https://x", token, bare, bare), "tests")

    assert with_certificate.wire(bare=True)._tls is bare
    assert with_certificate.wire(bare=False)._tls is ours
    assert with_certificate.stream(bare=True).connector._ssl is bare  # type: ignore[union-attr]
    assert with_certificate.stream(bare=False).connector._ssl is ours  # type: ignore[union-attr]
    assert without.wire(bare=True) is without.wire(bare=False)
    assert without.stream(bare=True) is without.stream(bare=False)
    await with_certificate.close()
    await without.close()
