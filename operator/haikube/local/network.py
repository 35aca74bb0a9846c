"""The wire between host and node: a veth pair, two addresses, and the rules for the way out.

The node's network namespace is anonymous: it lives as long as the node's processes, and the veth
pair with it. Only the iptables rules and the forwarding switch can outlive a killed run; both are
listed here once, so that ``up`` sets and ``down`` removes exactly the same.
"""

from __future__ import annotations

import ipaddress
import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from haikube.local.command import LocalError, run, succeeds
from haikube.local.instance import Instance

NODE_END = "eth0"
_CANDIDATES = tuple(f"10.{second}.0.0/24" for second in range(89, 100))
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


@dataclass(frozen=True, slots=True)
class Link:
    """The /24 between host and node."""

    subnet: ipaddress.IPv4Network
    instance: Instance

    @property
    def host(self) -> str:
        """Address of the host's end."""
        return str(self.subnet[1])

    @property
    def node(self) -> str:
        """Address of the node, the same for API server, DNS and gateway."""
        return str(self.subnet[2])

    def free_of(self, routes: Iterable[str]) -> bool:
        """Return whether no route of the host overlaps the subnet."""
        networks = (ipaddress.IPv4Network(route, strict=False) for route in routes)
        return not any(self.subnet.overlaps(network) for network in networks)

    def rules(self) -> list[list[str]]:
        """Return the iptables rules as arguments behind ``-A``: table, chain, match."""
        subnet, interface = str(self.subnet), self.instance.interface
        mark = ["-m", "comment", "--comment", self.instance.mark]
        return [
            ["nat", "POSTROUTING", "-s", subnet, "!", "-d", subnet, *mark, "-j", "MASQUERADE"],
            ["filter", "FORWARD", "-i", interface, *mark, "-j", "ACCEPT"],
            ["filter", "FORWARD", "-o", interface, *mark, "-j", "ACCEPT"],
        ]


def choose_link(wanted: str, taken: Iterable[str], instance: Instance) -> Link:
    """Return the wanted subnet, or the first candidate that overlaps no route of the host.

    Raises:
        LocalError: when the wanted one is no /24 or everything is taken.
    """
    routes = list(taken)
    candidates = (wanted,) if wanted else _CANDIDATES
    for candidate in candidates:
        link = Link(_subnet(candidate), instance)
        if link.free_of(routes):
            return link
    raise LocalError(
        f"every subnet of {', '.join(candidates)} overlaps a route of this host; "
        "set HAIKUBE_LOCAL_SUBNET to a free /24, e.g. 172.30.9.0/24"
    )


def _subnet(text: str) -> ipaddress.IPv4Network:
    try:
        subnet = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise LocalError(f"HAIKUBE_LOCAL_SUBNET={text!r}: {error}; give a /24") from error
    if subnet.prefixlen != 24:  # noqa: PLR2004 - the prefix our addresses count on
        raise LocalError(f"HAIKUBE_LOCAL_SUBNET={text!r} is no /24; give one, e.g. 172.30.9.0/24")
    return subnet


def host_routes(instance: Instance) -> list[str]:
    """Return the destinations the host routes to by itself, our own link not counted."""
    routes = json.loads(run("ip", "-json", "-4", "route", "show"))
    others = (route for route in routes if route.get("dev") != instance.interface)
    return [route["dst"] for route in others if route["dst"] != "default"]


def connect(link: Link, node_pid: int) -> None:
    """Lay the wire into the namespace of a node that waits for it."""
    interface = link.instance.interface
    pair = ["type", "veth", "peer", "name", NODE_END, "netns", str(node_pid)]
    run("ip", "link", "add", interface, *pair)
    run("ip", "address", "add", f"{link.host}/24", "dev", interface)
    run("ip", "link", "set", interface, "up")
    _in_node(node_pid, "address", "add", f"{link.node}/24", "dev", NODE_END)
    _in_node(node_pid, "link", "set", "lo", "up")
    _in_node(node_pid, "link", "set", NODE_END, "up")
    _in_node(node_pid, "route", "add", "default", "via", link.host)


def _in_node(pid: int, *words: str) -> None:
    run("nsenter", "--net", "--target", str(pid), "ip", *words)


def connected(instance: Instance) -> bool:
    """Return whether the host's end of the wire exists."""
    return succeeds("ip", "link", "show", instance.interface)


def disconnect(instance: Instance) -> None:
    """Remove the wire if it is still there; a node that just ended takes it along by itself."""
    while connected(instance):
        succeeds("ip", "link", "delete", instance.interface)


def open_egress(link: Link) -> None:
    """Let the node reach the world through the host."""
    close_egress(link.instance)
    if forwarding() != "1":
        _FORWARDING.write_text("1")
    for table, *rule in link.rules():
        run("iptables", "--wait", "-t", table, "-A", *rule)


def close_egress(instance: Instance) -> None:
    """Remove our rules, of whatever subnet and however often they are there."""
    for table, *rule in egress_rules(instance):
        run("iptables", "--wait", "-t", table, "-D", *rule)


def egress_rules(instance: Instance) -> list[list[str]]:
    """Return the rules on this host that carry our mark: table, chain, match."""
    found = []
    for table in ("nat", "filter"):
        listing = run("iptables", "--wait", "-t", table, "-S")
        found += [[table, *rule] for rule in marked_rules(listing, instance.mark)]
    return found


def marked_rules(listing: str, mark: str) -> list[list[str]]:
    """Return chain and match of each rule in ``iptables -S`` output that carries a mark."""
    rules = (shlex.split(line) for line in listing.splitlines())
    return [rule[1:] for rule in rules if rule[:1] == ["-A"] and mark in rule]


def forwarding() -> str:
    """Return the host's forwarding switch, to be restored by ``restore_forwarding``."""
    return _FORWARDING.read_text().strip()


def restore_forwarding(value: str) -> None:
    """Set the forwarding switch back to what it was before ``up``."""
    if value in {"0", "1"} and value != forwarding():
        _FORWARDING.write_text(value)
