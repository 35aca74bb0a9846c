"""What users do to an app, as steps that tests of the operator put together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest

import builders as b
import pem
import simulation
import stage
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS, SECRETS, STACKS
from haikube.operator.watched import watched
from simulation import Simulation


def built(types: Mapping[str, str]) -> Json:
    """Return the result of a build that made a slug with these process types."""
    listed = [{"name": name, "command": command} for name, command in types.items()]
    slug = {"digest": b.DIGEST, "sizeBytes": 10}
    return {
        "ok": True,
        "slug": slug,
        "processTypes": listed,
        "buildpacks": [],
        "language": "Python",
    }


WEB = built({"web": "python app.py"})
PHASED = built({"web": "python app.py", "worker": "work", "release": "python migrate.py"})
BROKEN: Json = {"ok": False, "reason": "CompileFailed", "message": "repair it"}


async def deployed(
    config: Mapping[str, str] | None = None, world: Simulation | None = None
) -> Simulation:
    """Return a cluster with an app that serves: v2, or v3 where it got config first."""
    world = world or Simulation()
    await world.apply(STACKS, "debian-13", {"runImage": "run:1", "buildImage": "build:1"})
    await world.apply(APPS, "hello", {})
    await world.settle()
    if config:
        await world.configure("hello", config)
    await world.push("b1", WEB)
    await world.settle()
    return world


def name_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a cert-manager in the clusters of a test, and operators that use it."""
    settings = stage.settings(certificate_issuer="letsencrypt")
    monkeypatch.setattr(simulation, "WATCHED", watched(settings))
    with_issuer = partial(stage.control, certificate_issuer="letsencrypt")
    monkeypatch.setattr(simulation, "control", with_issuer)


async def certify(world: Simulation, *names: str, serial: int = 1) -> None:
    """Add a certificate to the app, as the api does."""
    chain, key = pem.pair(*names, serial=serial)
    body: Json = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "hello-cert-kyoto-1",
            "namespace": b.NAMESPACE,
            "labels": {labels.APP: "hello"},
        },
        "data": b.encoded({"tls.crt": chain, "tls.key": key}),
    }
    await world.cluster.apply(SECRETS, body, manager="user")
    spec = {
        "domains": [{"hostname": "www.example.com", "certificate": "kyoto-1"}],
        "certificates": [{"name": "kyoto-1", "secretName": "hello-cert-kyoto-1"}],
    }
    await world.cluster.patch(APPS, "hello", b.NAMESPACE, {"spec": spec})
    await world.settle()
