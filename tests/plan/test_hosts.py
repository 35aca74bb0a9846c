"""Hostnames: the oldest wins, some are reserved, nobody blocks what is not theirs."""

from __future__ import annotations

from typing import Any

import pytest

import builders as b
from haikube.model.app import App, parse_app
from haikube.plan.hosts import app_url, decide_hosts
from stage import settings

OLD = {"creationTimestamp": "2025-01-01T00:00:00Z"}


def app(name: str = "hello", *domains: str, **extra: Any) -> App:
    return parse_app(b.app(name, domains=[{"hostname": each} for each in domains], **extra))


def decide(asked: App, *rivals: App) -> tuple[tuple[str, ...], list[str]]:
    hosts = {host for each in (asked, *rivals) for host in (*each.domains, "hello.localhost")}
    claims = dict.fromkeys(hosts, rivals)
    decided = decide_hosts(asked, claims, settings())
    return decided.granted, [each.reason for each in decided.refused]


def test_an_app_has_its_own_host_and_its_domains_in_lower_case() -> None:
    assert decide(app("hello", "WWW.Example.com")) == (("hello.localhost", "www.example.com"), [])


def test_the_oldest_app_keeps_a_domain() -> None:
    elder = app("elder", "www.example.com", metadata=OLD)
    heir = app("hello", "www.example.com")

    assert decide(elder, heir)[1] == []
    assert decide(heir, elder) == (("hello.localhost",), ["HostnameTaken"])


def test_equal_ages_are_decided_by_namespace_for_both_alike() -> None:
    first, second = app(namespace="a"), app(namespace="b")

    assert decide(first, second)[1] == []
    assert decide(second, first)[1] == ["HostnameTaken"]


@pytest.mark.parametrize("host", ["api.localhost", "localhost", "other.localhost"])
def test_names_of_the_platform_and_of_other_apps_are_refused(host: str) -> None:
    assert decide(app("hello", host)) == (("hello.localhost",), ["HostnameReserved"])


def test_a_vain_wish_for_the_name_of_an_app_does_not_block_it() -> None:
    thief = app("thief", "hello.localhost", metadata=OLD)

    assert decide(app(), thief) == (("hello.localhost",), [])


def test_an_app_with_a_reserved_name_gets_no_host() -> None:
    assert decide(app("api"))[0] == ()


@pytest.mark.parametrize(
    ("scheme", "port", "url"),
    [
        ("http", 80, "http://x.y/"),
        ("https", 443, "https://x.y/"),
        ("http", 8080, "http://x.y:8080/"),
        ("https", 80, "https://x.y:80/"),
    ],
)
def test_the_port_is_printed_where_it_is_needed(scheme: str, port: int, url: str) -> None:
    assert app_url("x.y", settings(scheme=scheme, public_port=port)) == url
