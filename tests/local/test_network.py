"""The wire to the node never collides with the host's routes, and our rules are found again."""

from __future__ import annotations

import ipaddress

import pytest

from haikube.local.command import LocalError
from haikube.local.instance import Instance
from haikube.local.network import Link, choose_link, marked_rules

NODE = Instance("haikube")
MARK = NODE.mark

LISTING = f"""\
-P FORWARD ACCEPT
-A FORWARD -i docker0 -j ACCEPT
-A FORWARD -i haikube0 -m comment --comment {MARK} -j ACCEPT
-A FORWARD -m comment --comment "not {MARK} of ours" -j DROP
-A POSTROUTING -s 10.89.0.0/24 ! -d 10.89.0.0/24 -m comment --comment {MARK} -j MASQUERADE
"""


@pytest.mark.parametrize(
    ("wanted", "taken", "subnet"),
    [
        ("", [], "10.89.0.0/24"),
        ("", ["192.0.2.0/24", "10.89.0.0/24"], "10.90.0.0/24"),
        ("", ["10.89.0.0/16", "10.90.0.7"], "10.91.0.0/24"),
        ("172.30.9.0/24", ["10.0.0.0/8"], "172.30.9.0/24"),
    ],
)
def test_the_first_free_subnet_is_taken(wanted: str, taken: list[str], subnet: str) -> None:
    assert str(choose_link(wanted, taken, NODE).subnet) == subnet


@pytest.mark.parametrize(
    ("wanted", "taken", "message"),
    [
        ("", ["10.0.0.0/8"], "set HAIKUBE_LOCAL_SUBNET to a free /24"),
        ("10.1.2.0/24", ["10.1.0.0/16"], "10.1.2.0/24 overlaps a route"),
        ("10.1.2.3/24", [], "has host bits set"),
        ("10.1.0.0/16", [], "is no /24"),
        ("nonsense", [], "'nonsense'"),
    ],
)
def test_a_subnet_that_cannot_be_is_refused_by_name(
    wanted: str, taken: list[str], message: str
) -> None:
    with pytest.raises(LocalError, match=message):
        choose_link(wanted, taken, NODE)


def test_host_and_node_have_fixed_places_in_the_subnet() -> None:
    link = Link(ipaddress.IPv4Network("10.89.0.0/24"), NODE)

    assert (link.host, link.node) == ("10.89.0.1", "10.89.0.2")


def test_only_rules_with_our_mark_are_ever_removed() -> None:
    found = marked_rules(LISTING, MARK)

    assert [rule[0] for rule in found] == ["FORWARD", "POSTROUTING"]
    assert " ".join(found[0]) == f"FORWARD -i haikube0 -m comment --comment {MARK} -j ACCEPT"


def test_every_rule_of_ours_carries_the_mark() -> None:
    rules = Link(ipaddress.IPv4Network("10.89.0.0/24"), NODE).rules()

    assert all(MARK in rule for rule in rules)
    assert {rule[0] for rule in rules} == {"nat", "filter"}


def test_instances_share_no_mark_and_fit_the_kernels_limits() -> None:
    one, other = Instance("haikube"), Instance("abcdefghijkl")

    assert {one.interface, one.mark, one.pid_file}.isdisjoint(
        {other.interface, other.mark, other.pid_file}
    )
    assert len(other.interface) <= 15
