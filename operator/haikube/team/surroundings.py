"""What lies around the pods of a team and is not the internet: nodes, pods, the API server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from haikube.cluster.errors import ApiError, NotFound
from haikube.cluster.port import Cluster, Json
from haikube.model.resources import DEPLOYMENTS, ENDPOINT_SLICES, NODES, Resource

Network = IPv4Network | IPv6Network

GATEWAY: Final = "haikube-gateway"
"""Name of the shipped gateway's Deployment, and of its namespace."""

_WIDEST_V6: Final = 56
"""Nodes get their pod networks and addresses out of a shared network of about this size."""

_ADDRESSES: Final = frozenset({"InternalIP", "ExternalIP"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Networks of the cluster, and the addresses from which its gateway speaks to dynos."""

    networks: tuple[Network, ...] = ()
    gateway: tuple[Network, ...] = ()


async def observe_surroundings(cluster: Cluster) -> Surroundings:
    """Return what is around; what the caller may not see is left out."""
    nodes = await _listed(cluster, NODES, None)
    slices = await _listed(
        cluster, ENDPOINT_SLICES, "default", "kubernetes.io/service-name=kubernetes"
    )
    own = [network for node in nodes for network in _addresses(node)]
    pods = [ip_network(cidr) for node in nodes for cidr in node["spec"].get("podCIDRs", ())]
    servers = [_host(text) for each in slices for text in _endpoints(each)]
    return Surroundings(
        networks=_distinct(map(_widened, (*own, *pods, *servers))),
        gateway=_distinct(own) if await _gateway_is_on_the_nodes(cluster) else (),
    )


async def _listed(
    cluster: Cluster, kind: Resource, namespace: str | None, labels: str = ""
) -> list[Json]:
    try:
        return list((await cluster.list(kind, namespace, labels=labels)).items)
    except ApiError:
        return []


async def _gateway_is_on_the_nodes(cluster: Cluster) -> bool:
    try:
        found = await cluster.get(DEPLOYMENTS, GATEWAY, GATEWAY)
    except NotFound:
        return False
    return bool(found["spec"]["template"]["spec"].get("hostNetwork"))


def _addresses(node: Json) -> Iterator[Network]:
    for each in node.get("status", {}).get("addresses", ()):
        if each["type"] in _ADDRESSES:
            yield _host(each["address"])


def _endpoints(found: Json) -> Iterator[str]:
    for each in found.get("endpoints") or ():
        yield from each.get("addresses", ())


def _host(address: str) -> Network:
    return ip_network(ip_address(address))


def _widened(network: Network) -> Network:
    if isinstance(network, IPv6Network) and network.prefixlen > _WIDEST_V6:
        return network.supernet(new_prefix=_WIDEST_V6)
    return network


def _distinct(networks: Iterable[Network]) -> tuple[Network, ...]:
    return tuple(sorted(set(networks), key=lambda each: (each.version, each)))
