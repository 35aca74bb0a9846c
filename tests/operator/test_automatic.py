"""Automatic certificates on a living cluster that has cert-manager: asked for, served, ended."""

from __future__ import annotations

from typing import Any

import pytest

import builders as b
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS, CERTIFICATES, GATEWAYS, SECRETS
from operator_steps import deployed, name_issuer
from simulation import Simulation

SPACE = "haikube-gateway"


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> Simulation:
    """Return a deployed app on a platform whose administrator has named an issuer."""
    name_issuer(monkeypatch)
    made = await deployed()
    spec = {
        "domains": [{"hostname": "www.example.com"}, {"hostname": "*.wild.example.com"}],
        "automaticCertificates": "Enabled",
    }
    await change(made, {"spec": spec})
    return made


async def issue(world: Simulation) -> None:
    """Make the Secrets that cert-manager makes for what it is asked for."""
    for each in await asked(world):
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {
                "name": each["spec"]["secretName"],
                "namespace": SPACE,
                "labels": each["spec"]["secretTemplate"]["labels"],
            },
            "data": b.encoded({"tls.crt": "x", "tls.key": "y"}),
        }
        await world.cluster.apply(SECRETS, secret, manager="cert-manager")
    await world.settle()


async def secrets(world: Simulation) -> list[str]:
    return [each["metadata"]["name"] for each in (await world.cluster.list(SECRETS, SPACE)).items]


async def change(world: Simulation, patch: Json) -> None:
    await world.cluster.patch(APPS, "hello", b.NAMESPACE, patch)
    await world.settle()


async def asked(world: Simulation) -> list[Any]:
    return list((await world.cluster.list(CERTIFICATES, SPACE)).items)


async def served(world: Simulation) -> dict[str, str]:
    return {
        each["hostname"]: each["tls"]["certificateRefs"][0]["name"]
        for gateway in (await world.cluster.list(GATEWAYS, SPACE)).items
        for each in gateway["spec"]["listeners"]
    }


async def test_a_certificate_is_asked_for_and_its_secret_is_served(world: Simulation) -> None:
    (made,) = await asked(world)

    assert made["spec"]["dnsNames"] == ["www.example.com"]
    assert made["spec"]["issuerRef"]["name"] == "letsencrypt"
    assert await served(world) == {"www.example.com": made["spec"]["secretName"]}


async def test_a_refresh_asks_anew_for_the_same_secret(world: Simulation) -> None:
    (before,) = await asked(world)
    await issue(world)
    mark = {labels.CERTIFICATES_REFRESHED: "2026-01-02T00:00:00Z"}
    await change(world, {"metadata": {"annotations": mark}})
    (after,) = await asked(world)

    assert after["metadata"]["name"] != before["metadata"]["name"]
    assert after["spec"]["secretName"] == before["spec"]["secretName"]
    assert await secrets(world) == [before["spec"]["secretName"]]


@pytest.mark.parametrize(
    "patch",
    [{"automaticCertificates": "Disabled"}, {"domains": []}],
    ids=["switched off", "no domain left"],
)
async def test_nothing_is_left_where_nothing_is_wanted(world: Simulation, patch: Json) -> None:
    await issue(world)
    await change(world, {"spec": patch})

    assert await asked(world) == []
    assert await served(world) == {}
    assert await secrets(world) == []
