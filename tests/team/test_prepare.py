"""Making a team on a cluster, once and again."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from haikube.cluster.errors import Forbidden
from haikube.cluster.fake import Call, FakeCluster
from haikube.model.resources import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    ROLE_BINDINGS,
)
from haikube.team.prepare import is_team, prepare_team
from haikube.team.surroundings import Surroundings, observe_surroundings
from haikube.team.template import Team

FOLDER = Path(__file__).parents[2] / "manifests" / "extras" / "team"


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    addresses = [
        {"type": "Hostname", "address": "node-1"},
        {"type": "InternalIP", "address": "192.0.2.4"},
        {"type": "ExternalIP", "address": "2001:db8:5:6::4"},
    ]
    node = {
        "metadata": {"name": "node-1"},
        "spec": {"podCIDRs": ["10.1.0.0/24", "2001:db8:77:1::/64"]},
        "status": {"addresses": addresses},
    }
    made.seed(NODES, node)
    place = {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"kubernetes.io/service-name": "kubernetes"},
    }
    made.seed(ENDPOINT_SLICES, {"metadata": place, "endpoints": [{"addresses": ["198.51.100.1"]}]})
    return made


def gateway(cluster: FakeCluster, *, on_nodes: bool) -> None:
    pod = {"hostNetwork": True} if on_nodes else {}
    place = {"name": "haikube-gateway", "namespace": "haikube-gateway"}
    cluster.seed(DEPLOYMENTS, {"metadata": place, "spec": {"template": {"spec": pod}}})


async def test_nodes_pods_and_the_api_server_are_seen(cluster: FakeCluster) -> None:
    gateway(cluster, on_nodes=True)
    around = await observe_surroundings(cluster)

    assert {str(each) for each in around.networks} == {
        "10.1.0.0/24",
        "192.0.2.4/32",
        "198.51.100.1/32",
        "2001:db8:5::/56",
        "2001:db8:77::/56",
    }
    assert around.gateway == (ip_network("192.0.2.4/32"), ip_network("2001:db8:5:6::4/128"))


@pytest.mark.parametrize("known", [True, False])
async def test_a_gateway_in_pods_has_no_address_of_its_own(
    cluster: FakeCluster, *, known: bool
) -> None:
    if known:
        gateway(cluster, on_nodes=False)

    assert (await observe_surroundings(cluster)).gateway == ()


async def test_making_a_team_again_changes_nothing(cluster: FakeCluster) -> None:
    assert not await is_team(cluster, "blue")
    await prepare_team(cluster, FOLDER, Team("blue"))
    before = await cluster.list(NETWORK_POLICIES, "blue")
    await prepare_team(cluster, FOLDER, Team("blue"))

    assert await is_team(cluster, "blue")
    assert len(before.items) == 5
    assert [each["spec"] for each in (await cluster.list(NETWORK_POLICIES, "blue")).items] == [
        each["spec"] for each in before.items
    ]
    assert len((await cluster.list(ROLE_BINDINGS, "blue")).items) == 2


async def test_a_namespace_that_is_there_keeps_its_own_labels(cluster: FakeCluster) -> None:
    cluster.seed(NAMESPACES, {"metadata": {"name": "blue", "labels": {"cost": "7"}}})
    await prepare_team(cluster, FOLDER, Team("blue"))

    assert (await cluster.get(NAMESPACES, "blue"))["metadata"]["labels"]["cost"] == "7"


async def test_who_may_not_look_at_nodes_gets_the_plain_policies(cluster: FakeCluster) -> None:
    def closed(call: Call) -> None:
        if call.resource in {NODES, ENDPOINT_SLICES}:
            raise Forbidden(403, "Forbidden", "nodes is forbidden")

    cluster.fault = closed
    assert await observe_surroundings(cluster) == Surroundings()
