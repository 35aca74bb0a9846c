"""Who may have which certificate served: nobody answers for the host of another team."""

from __future__ import annotations

from typing import Any

import pytest

import builders as b
import pem
from haikube.model import labels
from haikube.model.app import App, parse_app
from haikube.model.certificate import read_certificate
from haikube.model.meta import parse_meta
from haikube.model.resources import CERTIFICATES, SECRETS
from haikube.model.secret import parse_secret
from haikube.plan.certificates.claims import CertificateView, Claim, decide_certificates
from haikube.plan.certificates.serving import LISTENERS_PER_GATEWAY, gateways_of, plan_certificates
from haikube.plan.context import Context
from stage import NOW, RENDER, settings

OLD = {"metadata": {"creationTimestamp": "2025-01-01T00:00:00Z"}}
SETTINGS = settings()


def app(name: str, *domains: str, team: str = "team", **extra: Any) -> App:
    hosts = [{"hostname": each, "certificate": "kyoto-1"} for each in domains]
    listed = [{"name": "kyoto-1", "secretName": f"{name}-cert"}]
    return parse_app(b.app(name, namespace=team, domains=hosts, certificates=listed, **extra))


def claim(of: App, *names: str, hosts: tuple[str, ...] | None = None, serial: int = 1) -> Claim:
    certificate = read_certificate(pem.pair(*names, serial=serial)[0])
    secret = parse_secret({"metadata": b.meta(f"{of.meta.name}-cert", "Secret"), "data": {}})
    covered = tuple(each for each in of.domains if certificate.covers(each))
    return Claim(of, "kyoto-1", covered if hosts is None else hosts, secret, certificate)


def reasons(*claims: Claim, apps: tuple[App, ...] = ()) -> list[str]:
    """Return why claims are refused, when these apps are there besides."""
    everybody = (*(each.app for each in claims), *apps)
    names = {name for each in claims if each.certificate for name in each.certificate.names}
    rivals = dict.fromkeys(names, everybody)
    view = CertificateView(claims, (), rivals, {})
    return [each.reason for each in decide_certificates(view, SETTINGS).refused]


def test_a_certificate_for_a_domain_of_the_app_is_served() -> None:
    assert reasons(claim(app("a", "www.example.com"), "www.example.com", "example.com")) == []


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("www.example.com", "api.localhost"), "belongs to the platform"),
        (("www.example.com", "*.localhost"), "belongs to the platform"),
        (("www.example.com", "localhost"), "belongs to the platform"),
        (("www.example.com", "*.com"), "takes in too much"),
        (("www.example.com", "*.*.com"), "takes in too much"),
        (("www.example.com", *(f"{n}.example.com" for n in range(100))), "at most 100"),
        (("shop.example.com",), "none of the domains"),
    ],
)
def test_names_that_nobody_may_have_served(names: tuple[str, ...], words: str) -> None:
    (reason,) = reasons(claim(app("a", "www.example.com"), *names))

    assert words in reason


@pytest.mark.parametrize("name", ["shop.other.com", "*.other.com"])
def test_no_certificate_answers_for_the_host_of_another_team(name: str) -> None:
    theirs = app("b", "shop.other.com", team="other", **OLD)
    mine = claim(app("a", "www.example.com"), "www.example.com", name)

    assert reasons(mine, apps=(theirs,)) == [
        f"its name {name} takes in shop.other.com of the older app other/b"
    ]


def test_who_was_there_first_keeps_the_name() -> None:
    newer = app("b", "shop.example.com", team="other")
    mine = claim(app("a", "www.example.com", **OLD), "*.example.com")

    assert reasons(mine, apps=(newer,)) == []


def test_an_exact_certificate_goes_before_the_wildcard_of_another_team() -> None:
    shop = claim(app("b", "shop.example.com", team="other", **OLD), "shop.example.com")
    mine = claim(app("a", "www.example.com"), "*.example.com")

    assert reasons(shop, mine) == []


def test_one_wildcard_certificate_may_be_with_two_teams_and_another_may_not() -> None:
    one = claim(app("b", "shop.example.com", team="other", **OLD), "*.example.com")
    same = claim(app("a", "www.example.com"), "*.example.com")
    forged = claim(app("a", "www.example.com"), "*.example.com", serial=2)

    assert reasons(one, same) == []
    assert reasons(one, forged) == [
        "the older app other/b serves another certificate for *.example.com"
    ]


def test_a_wider_certificate_is_not_served_where_another_one_would_answer() -> None:
    squatter = claim(app("b", "b.org", team="other", **OLD), "b.org", "www.example.com")
    mine = claim(app("a", "www.example.com"), "*.example.com")

    assert reasons(squatter, mine) == [
        "the older app other/b serves another certificate for www.example.com"
    ]


def test_apps_of_one_team_share_as_they_like() -> None:
    one = claim(app("b", "shop.example.com", **OLD), "*.example.com")
    other = claim(app("a", "www.example.com"), "*.example.com", serial=2)

    assert reasons(one, other) == []


def plan(view: CertificateView, **changes: Any) -> list[Any]:
    wanted = settings(**changes)
    served = decide_certificates(view, wanted).served
    return list(plan_certificates(view, served, Context(wanted, RENDER, NOW)))


def test_each_host_has_a_listener_that_only_its_team_can_use() -> None:
    owner = app("a", "www.example.com", "shop.example.com", team="acme")
    copy, gateway = plan(CertificateView((claim(owner, "*.example.com"),), (), {}, {}))
    spec = gateway.body["spec"]

    assert copy.body["metadata"]["namespace"] == "haikube-gateway"
    assert copy.copied.keys == ("tls.crt", "tls.key")
    assert "data" not in copy.body
    assert [each["hostname"] for each in spec["listeners"]] == [
        "shop.example.com",
        "www.example.com",
    ]
    for each in spec["listeners"]:
        assert each["tls"]["certificateRefs"][0]["name"] == copy.body["metadata"]["name"]
        selector = each["allowedRoutes"]["namespaces"]["selector"]["matchLabels"]
        assert selector == {"kubernetes.io/metadata.name": "acme"}


def test_more_hosts_than_a_gateway_holds_get_several() -> None:
    hosts = tuple(f"h{n}.example.com" for n in range(LISTENERS_PER_GATEWAY + 1))
    owner = app("a", *hosts)
    _, first, second = plan(CertificateView((claim(owner, "*.example.com"),), (), {}, {}))
    names = tuple(each.body["metadata"]["name"] for each in (first, second))

    assert len(first.body["spec"]["listeners"]) == LISTENERS_PER_GATEWAY
    assert len(second.body["spec"]["listeners"]) == 1
    assert gateways_of(owner, hosts[:1], SETTINGS) == names
    assert gateways_of(owner, ["a.localhost"], SETTINGS) == ()


def automatic(**notes: str) -> App:
    hosts = [{"hostname": "www.example.com"}]
    owner = b.app("a", domains=hosts, automaticCertificates="Enabled")
    owner["metadata"]["annotations"] = notes
    return parse_app(owner)


def test_a_certificate_made_anew_waits_until_the_former_one_has_left_its_secret() -> None:
    before = automatic()
    made, _ = plan(CertificateView((), (before,), {}, {}), certificate_issuer="letsencrypt")
    secret = parse_meta({"metadata": b.meta(made.body["spec"]["secretName"], "Secret")})
    live = {CERTIFICATES: (parse_meta(made.body),), SECRETS: (secret,)}
    after = automatic(**{labels.CERTIFICATES_REFRESHED: "2026-01-02T00:00:00Z"})

    _, gone = plan(CertificateView((), (after,), {}, live), certificate_issuer="letsencrypt")
    assert (gone.resource, gone.name) == (CERTIFICATES, made.body["metadata"]["name"])

    alone = CertificateView((), (after,), {}, {SECRETS: (secret,)})
    anew, _ = plan(alone, certificate_issuer="letsencrypt")
    assert anew.body["spec"]["secretName"] == made.body["spec"]["secretName"]
    assert anew.body["metadata"]["name"] != made.body["metadata"]["name"]


def test_automatic_certificates_are_for_domains_that_have_none_of_their_own() -> None:
    hosts = [
        {"hostname": "www.example.com"},
        {"hostname": "*.example.com"},
        {"hostname": "own.example.com", "certificate": "kyoto-1"},
    ]
    listed = [{"name": "kyoto-1", "secretName": "a-cert"}]
    owner = parse_app(
        b.app("a", domains=hosts, certificates=listed, automaticCertificates="Enabled")
    )
    view = CertificateView((), (owner,), {}, {})
    made, gateway = plan(view, certificate_issuer="letsencrypt")

    assert made.body["spec"]["dnsNames"] == ["www.example.com"]
    assert made.body["spec"]["issuerRef"]["name"] == "letsencrypt"
    (listener,) = gateway.body["spec"]["listeners"]
    assert listener["tls"]["certificateRefs"][0]["name"] == made.body["spec"]["secretName"]
