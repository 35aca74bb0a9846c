"""The namespace of a team: what is in it, and what its pods may reach."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haikube.team.surroundings import Surroundings
from haikube.team.template import InvalidTeam, Team, team_objects

FOLDER = Path(__file__).parents[2] / "manifests" / "extras" / "team"
NOWHERE = Surroundings()
DUAL = Surroundings(
    networks=(
        ip_network("10.244.0.0/24"),
        ip_network("203.0.113.7/32"),
        ip_network("2001:db8:1::/56"),
        ip_network("fd00:10::/56"),
    ),
    gateway=(ip_network("203.0.113.7/32"), ip_network("2001:db8:1::7/128")),
)


def objects(team: Team, around: Surroundings = NOWHERE) -> list[dict[str, Any]]:
    return team_objects(FOLDER, team, around)


def policy(name: str, around: Surroundings) -> dict[str, Any]:
    (found,) = (
        each["spec"]
        for each in objects(Team("blue"), around)
        if each["kind"] == "NetworkPolicy" and each["metadata"]["name"] == name
    )
    return dict(found)


def reaches(address: str, around: Surroundings) -> bool:
    """Return whether the pods of a team may open a connection to an address."""
    target = ip_address(address)
    blocks = [
        peer["ipBlock"]
        for rule in policy("haikube-egress", around)["egress"]
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    return any(
        target in ip_network(block["cidr"])
        and not any(target in ip_network(each) for each in block["except"])
        for block in blocks
    )


def test_a_team_is_a_restricted_labelled_namespace_and_its_people() -> None:
    namespace, *others = objects(Team("blue"))

    assert namespace["metadata"]["name"] == "blue"
    assert namespace["metadata"]["labels"]["haikube.dev/team"] == "blue"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {each["metadata"]["namespace"] for each in others} == {"blue"}
    people = {
        each["roleRef"]["name"]: each["subjects"][0]["name"]
        for each in others
        if each["kind"] == "RoleBinding"
    }
    assert people == {"haikube-developer": "blue-developers", "haikube-viewer": "blue-viewers"}


def test_groups_and_quota_are_those_that_are_named() -> None:
    made = objects(Team("blue", developers="oidc:devs", viewers="oidc:all", quota=True))
    names = {each["subjects"][0]["name"] for each in made if each["kind"] == "RoleBinding"}

    assert names == {"oidc:devs", "oidc:all"}
    assert {"ResourceQuota", "LimitRange"} <= {each["kind"] for each in made}
    assert "ResourceQuota" not in {each["kind"] for each in objects(Team("blue"))}


@pytest.mark.parametrize("name", ["", "Blue", "a b", "-a", "a/../b", "a" * 64])
def test_a_name_that_is_no_namespace_is_refused(name: str) -> None:
    with pytest.raises(InvalidTeam, match="lower case"):
        objects(Team(name))


@pytest.mark.parametrize("around", [NOWHERE, DUAL])
@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",  # metadata of AWS, Google, Azure, OpenStack
        "168.63.129.16",  # Azure's own channel into its machines
        "192.0.0.192",  # Oracle
        "100.100.100.200",  # Alibaba
        "fd00:ec2::254",  # AWS by IPv6
        "fe80::1",
        "10.96.0.1",
        "10.244.0.9",
        "172.18.0.2",
        "192.168.1.1",
        "127.0.0.1",
        "224.0.0.1",
        "fd00:10::1",
    ],
)
def test_what_is_inside_stays_out_of_reach(address: str, around: Surroundings) -> None:
    assert not reaches(address, around)


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8:1::7", "2001:db8:1:0:ffff::1"])
def test_nodes_with_public_addresses_are_not_the_internet(address: str) -> None:
    assert not reaches(address, DUAL)


@pytest.mark.parametrize("address", ["93.184.216.34", "203.0.113.8"])
def test_the_internet_is_reached(address: str) -> None:
    assert reaches(address, NOWHERE)
    assert reaches(address, DUAL)


def test_ipv6_is_open_only_where_it_is_known_what_is_the_clusters() -> None:
    assert reaches("2606:2800:220:1::1", DUAL)
    assert not reaches("2606:2800:220:1::1", NOWHERE)


def test_a_gateway_on_the_nodes_is_let_in() -> None:
    (rule,) = policy("haikube-dyno-ingress", DUAL)["ingress"]
    blocks = [peer["ipBlock"]["cidr"] for peer in rule["from"] if "ipBlock" in peer]

    assert blocks == ["203.0.113.7/32", "2001:db8:1::7/128"]
    (rule,) = policy("haikube-dyno-ingress", NOWHERE)["ingress"]
    assert not any("ipBlock" in peer for peer in rule["from"])


@settings(max_examples=30)  # each example reads the template
@given(st.lists(st.ip_addresses(), max_size=5))
def test_no_address_of_the_cluster_is_ever_reached(addresses: list[Any]) -> None:
    around = Surroundings(networks=tuple(ip_network(each) for each in addresses))

    assert not any(reaches(str(each), around) for each in addresses)
