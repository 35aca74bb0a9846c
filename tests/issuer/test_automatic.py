"""Automatic certificates with a real cert-manager: asked for, seen by visitors, renewed, ended."""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import sample_apps
from crds.kubectl import Kubectl
from haikube.model.certificate import read_certificate
from heroku.handshake import certificate_of, fetched
from heroku.person import Ada, logged_in
from heroku.steps import holds
from terminal import CACHE, KUBECONFIG, eventually

pytestmark = [pytest.mark.issuer, pytest.mark.timeout(600)]

BUILT = CACHE / "issuer"
ISSUER = "haikube-test"
SPACE = "haikube-test-issuer"
PLATFORM = ("deployment/haikube-operator", "deployment/haikube-api")
GATEWAY_SPACE = "haikube-gateway"
_PATIENCE, _PAUSE = 120, 0.5
ALL = "certificates.cert-manager.io,gateways,secrets"


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ada]:
    with logged_in(tmp_path_factory.mktemp("ada")) as person:
        yield person


@pytest.fixture(scope="module")
def authority(ada: Ada) -> Iterator[Path]:
    """Have cert-manager run with an authority of its own, and the platform use it."""
    chain, key = ada.home / "ca.crt", ada.home / "ca.key"
    ada.must(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "30", "-subj", "/CN=authority", "-keyout", str(key)),
        *("-out", str(chain)),
    )
    cluster = Kubectl(KUBECONFIG, "")
    cluster.ok("apply", "--server-side", "-f", str(BUILT / "crds"))
    cluster.ok("create", "namespace", SPACE)
    files = (f"--cert={chain}", f"--key={key}")
    cluster.ok("create", "secret", "tls", ISSUER, "-n", SPACE, *files)
    cluster.ok("create", "-f", "-", stdin=_issuer())
    try:
        with _cert_manager(ada.home), _used_by_the_platform():
            yield chain
    finally:
        cluster.ok("delete", "namespace", SPACE)
        cluster.ok("delete", "-f", str(BUILT / "crds"))


@pytest.fixture(scope="module")
def app(ada: Ada, authority: Path) -> Iterator[str]:
    """Return an app that answers; it can be asked for only once the platform is up again."""
    assert authority.exists()
    name = f"auto-{secrets.token_hex(3)}"
    folder = ada.home / name
    folder.mkdir()
    sample_apps.plain(folder)
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "hello")):
        ada.must("git", *words, cwd=folder)
    ada.must("heroku", "create", name, cwd=folder)
    ada.must("git", "push", "-q", "heroku", "main", cwd=folder)
    yield name
    ada.must("heroku", "apps:destroy", "-a", name, "--confirm", name)


def test_each_domain_gets_a_certificate_until_nobody_wants_them(
    ada: Ada, app: str, authority: Path
) -> None:
    first, second = (f"{word}.{app}.example.com" for word in ("www", "shop"))
    ada.must("heroku", "domains:add", first, "-a", app)
    ada.must("heroku", "certs:auto:enable", "-a", app)
    eventually(lambda: fetched(first, authority), f"{first} behind a certificate", 60)
    _until_told(ada, app, f"Management is enabled ... {first} ... Cert issued")

    ada.must("heroku", "domains:add", second, "-a", app)
    eventually(lambda: fetched(second, authority), f"{second} behind a certificate", 60)
    assert fetched(first, authority)

    before = _serial(first, authority)
    ada.must("heroku", "certs:auto:refresh", "-a", app)
    eventually(lambda: _serial(first, authority) != before, "a certificate made anew", 60)
    assert fetched(first, authority)

    ada.must("heroku", "certs:auto:disable", "-a", app, "--confirm", app)
    eventually(lambda: not fetched(first, authority), "the end of the certificate", 60)
    eventually(lambda: not _left(app), "nothing left of it", 60)


def test_an_issuer_that_is_not_there_is_told(ada: Ada, app: str) -> None:
    cluster = Kubectl(KUBECONFIG, "")
    cluster.ok("delete", "clusterissuer", ISSUER)
    host = f"later.{app}.example.com"
    ada.must("heroku", "domains:add", host, "-a", app)
    ada.must("heroku", "certs:auto:enable", "-a", app)
    _until_told(ada, app, f"{host} In Progress")
    cluster.ok("create", "-f", "-", stdin=_issuer())
    _until_told(ada, app, f"{host} Cert issued")
    ada.must("heroku", "certs:auto:disable", "-a", app, "--confirm", app)


def _until_told(ada: Ada, app: str, text: str) -> None:
    """Wait until ``heroku certs:auto`` says something."""
    end = time.monotonic() + _PATIENCE
    while not holds(said := ada.must("heroku", "certs:auto", "-a", app), text):
        assert time.monotonic() < end, f"{text!r} is not in\n{said}"
        time.sleep(_PAUSE)


def _issuer() -> dict[str, object]:
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": {"name": ISSUER},
        "spec": {"ca": {"secretName": ISSUER}},
    }


@contextmanager
def _cert_manager(home: Path) -> Iterator[None]:
    with (home / "cert-manager.log").open("wb") as log:
        words = (str(BUILT / "issuer"), str(KUBECONFIG), SPACE)
        process = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def _used_by_the_platform() -> Iterator[None]:
    _set_issuer(f"HAIKUBE_CERTIFICATE_ISSUER={ISSUER}")
    try:
        yield
    finally:
        _set_issuer("HAIKUBE_CERTIFICATE_ISSUER-")


def _set_issuer(change: str) -> None:
    platform = Kubectl(KUBECONFIG, "haikube-system")
    platform.ok("set", "env", *PLATFORM, change)
    for each in PLATFORM:
        platform.ok("rollout", "status", each, "--timeout", "50s")


def _serial(host: str, authority: Path) -> str:
    return read_certificate(ssl.DER_cert_to_PEM_cert(certificate_of(host, authority))).fingerprint


def _left(app: str) -> list[str]:
    cluster = Kubectl(KUBECONFIG, GATEWAY_SPACE)
    found = json.loads(cluster.ok("get", ALL, "-l", f"haikube.dev/app={app}", "-o", "json"))
    return [f"{each['kind']} {each['metadata']['name']}" for each in found["items"]]
