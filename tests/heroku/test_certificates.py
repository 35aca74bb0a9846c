"""Certificates on the cluster: what a visitor's handshake shows, from adding to removing."""

from __future__ import annotations

import re
from pathlib import Path

from heroku.handshake import fetched
from heroku.person import Ada
from heroku.steps import holds
from terminal import eventually


def test_a_certificate_is_served_by_sni_and_goes_again(ada: Ada) -> None:
    app, host = ada.names["app"], f"secure.{ada.names['suffix']}.example.com"
    chain, key = pair(ada, host)
    ada.must("heroku", "certs:add", str(chain), str(key), "-a", app)
    name = re.search(r"^\s*(\S+)\s+secure\.", ada.must("heroku", "certs", "-a", app), re.MULTILINE)
    assert name is not None
    ada.must("heroku", "domains:add", host, "--cert", name[1], "-a", app)
    eventually(lambda: fetched(host, chain), "the app behind its own certificate", 30)

    other = f"other.{ada.names['suffix']}.example.com"
    said = ada.run("heroku", "domains:add", other, "--cert", name[1], "-a", app)
    assert (said.code, holds(said.err, f"not for the domain {other}")) == (2, True), said
    ada.must("heroku", "certs:remove", "--name", name[1], "-a", app, "--confirm", app)
    eventually(lambda: not fetched(host, chain), "the end of the certificate", 30)
    ada.must("heroku", "domains:remove", host, "-a", app)


def test_no_certificate_takes_the_platforms_own_names(ada: Ada) -> None:
    app, host = ada.names["app"], f"thief.{ada.names['suffix']}.example.com"
    chain, key = pair(ada, host, "api.localhost")
    ada.must("heroku", "domains:add", host, "-a", app)
    said = ada.run("heroku", "certs:add", str(chain), str(key), "-a", app)
    ada.must("heroku", "domains:remove", host, "-a", app)

    assert (said.code, holds(said.err, "api.localhost belongs to the platform")) == (2, True), said


def pair(ada: Ada, *names: str) -> tuple[Path, Path]:
    """Make a certificate that vouches for itself."""
    chain, key = ada.home / f"{names[0]}.crt", ada.home / f"{names[0]}.key"
    ada.must(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "30", "-subj", f"/CN={names[0]}"),
        *("-addext", f"subjectAltName={','.join(f'DNS:{each}' for each in names)}"),
        *("-keyout", str(key), "-out", str(chain)),
    )
    return chain, key
