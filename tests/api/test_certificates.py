"""Certificates through the api: what fits is kept, what does not is refused, no key is shown."""

from __future__ import annotations

import aiohttp
import pytest

import pem
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS, CERTIFICATES, GATEWAYS
from haikube.plan.certificates.serving import COMPONENT
from haikube.settings import Settings
from rest import Rest
from world import NAMESPACE, TOKEN, World, running

SPACE = "haikube-gateway"


@pytest.fixture
async def app(ada: Rest) -> Json:
    made: Json = await ada.post("/apps", {"name": "hello", "team": NAMESPACE})
    wish = {"hostname": "www.example.com", "sni_endpoint": None}
    await ada.post("/apps/hello/domains", wish)
    return made


def wish(*names: str, serial: int = 1) -> Json:
    chain, key = pem.pair(*names, serial=serial)
    return {"certificate_chain": chain, "private_key": key}


async def refusal(ada: Rest, method: str, path: str, body: Json) -> str:
    found = await ada(method, path, body)
    assert found.status == 422, found.body
    return str(found.body["message"])


@pytest.mark.usefixtures("app")
async def test_a_certificate_serves_the_domains_it_is_for_and_its_key_is_never_shown(
    ada: Rest,
) -> None:
    made = await ada.post("/apps/hello/sni-endpoints", wish("www.example.com"))
    domain = await ada.get("/apps/hello/domains/www.example.com")
    listed = await ada.get("/apps/hello/sni-endpoints")

    assert domain["sni_endpoint"]["name"] == made["name"]
    assert listed[0]["domains"] == [domain["id"]]
    assert "PRIVATE KEY" not in str((made, listed))


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("www.example.com", "hello.localhost"), "belongs to the platform"),
        (("www.example.com", "*.com"), "takes in too much"),
    ],
)
async def test_names_that_are_not_ones_own_are_refused(
    ada: Rest, names: tuple[str, ...], words: str
) -> None:
    assert words in await refusal(ada, "POST", "/apps/hello/sni-endpoints", wish(*names))


@pytest.mark.usefixtures("app")
async def test_a_key_of_another_certificate_is_refused(ada: Rest) -> None:
    body = {
        **wish("www.example.com"),
        "private_key": wish("www.example.com", serial=2)["private_key"],
    }

    said = await refusal(ada, "POST", "/apps/hello/sni-endpoints", body)
    assert "does not belong to the certificate" in said


@pytest.mark.usefixtures("app")
async def test_a_domain_takes_no_certificate_that_is_for_another_one(ada: Rest) -> None:
    made = await ada.post("/apps/hello/sni-endpoints", wish("shop.example.com"))
    body = {"sni_endpoint": made["name"]}

    said = await refusal(ada, "PATCH", "/apps/hello/domains/www.example.com", body)
    assert said == "The certificate is for shop.example.com, not for the domain www.example.com."


@pytest.mark.usefixtures("app")
async def test_a_new_certificate_must_be_for_the_domains_that_use_the_old_one(ada: Rest) -> None:
    made = await ada.post("/apps/hello/sni-endpoints", wish("www.example.com"))
    path = f"/apps/hello/sni-endpoints/{made['name']}"

    assert "not for the domain" in await refusal(ada, "PATCH", path, wish("shop.example.com"))
    await ada.patch(path, wish("*.example.com"))


@pytest.mark.usefixtures("app")
async def test_what_another_team_has_is_not_taken_by_a_certificate(kept: World, ada: Rest) -> None:
    hosts = [{"hostname": "shop.other.com"}]
    metadata = {"name": "shop", "namespace": "team-b"}
    kept.cluster.seed(APPS, {"metadata": metadata, "spec": {"domains": hosts}, "kind": "App"})
    body = wish("www.example.com", "*.other.com")

    said = await refusal(ada, "POST", "/apps/hello/sni-endpoints", body)
    assert "shop.other.com is in use by another team" in said


@pytest.mark.usefixtures("app")
async def test_no_domain_under_a_certificate_or_wildcard_of_another_team(
    kept: World, ada: Rest
) -> None:
    marks = {labels.COMPONENT: COMPONENT, labels.APP_NAMESPACE: "team-b", labels.APP: "shop"}
    notes = {labels.CERTIFICATE: "abc=*.other.com"}
    metadata = {"name": "certificates-x-0", "namespace": SPACE, "labels": marks}
    gateway = {"metadata": {**metadata, "annotations": notes}, "kind": "Gateway", "spec": {}}
    kept.cluster.seed(GATEWAYS, gateway)
    wild = {"hostname": "*.wild.com"}
    other = {"metadata": {"name": "w", "namespace": "team-b"}, "spec": {"domains": [wild]}}
    kept.cluster.seed(APPS, {**other, "kind": "App"})

    for hostname in ("login.other.com", "login.wild.com"):
        body = {"hostname": hostname, "sni_endpoint": None}
        said = await refusal(ada, "POST", "/apps/hello/domains", body)
        assert said == f"{hostname} is currently in use by another team."


@pytest.mark.usefixtures("app")
async def test_without_an_issuer_automatic_certificates_say_what_they_need(ada: Rest) -> None:
    said = await refusal(ada, "POST", "/apps/hello/acm", {})

    assert "HAIKUBE_CERTIFICATE_ISSUER" in said


async def test_automatic_certificates_tell_how_they_are() -> None:
    settings = Settings(public_port=8080, certificate_issuer="letsencrypt")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        running(settings, ledger=True) as platform,
        aiohttp.ClientSession(platform.url, headers=headers) as session,
    ):
        ada = Rest(session)
        made: Json = await ada.post("/apps", {"name": "hello", "team": NAMESPACE})
        await ada.post("/apps/hello/domains", {"hostname": "www.example.com", "sni_endpoint": None})
        assert (await ada.post("/apps/hello/acm", {}, 200))["acm"] is True
        domain = await ada.get("/apps/hello/domains/www.example.com")
        assert domain["acm_status"] == "pending"

        platform.cluster.seed(CERTIFICATES, issued(made["id"]))
        domain = await ada.get("/apps/hello/domains/www.example.com")
        (endpoint,) = await ada.get("/apps/hello/sni-endpoints")
        assert domain["acm_status"] == "cert issued"
        assert endpoint["ssl_cert"]["acm"] is True
        assert endpoint["ssl_cert"]["expires_at"] == "2027-01-01T00:00:00Z"
        await ada.patch("/apps/hello/acm", {"acm_refresh": True})
        domain = await ada.get("/apps/hello/domains/www.example.com")
        assert domain["acm_status"] == "pending"
        assert (await ada.delete("/apps/hello/acm"))["acm"] is False


def issued(app_uid: str) -> Json:
    return {
        "metadata": {"name": f"certificates-{app_uid}-auto", "namespace": SPACE},
        "spec": {"dnsNames": ["www.example.com"]},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "notAfter": "2027-01-01T00:00:00Z",
            "notBefore": "2026-01-01T00:00:00Z",
        },
    }
