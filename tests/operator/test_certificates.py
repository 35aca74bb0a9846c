"""Certificates on a living cluster: served by SNI, renewed, taken away, and never to strangers."""

from __future__ import annotations

from typing import Any

import builders as b
import pem
from haikube.model.app import App
from haikube.model.resources import APPS, EVENTS, GATEWAYS, HTTP_ROUTES, SECRETS
from haikube.operator.rivals import find_rivals
from haikube.plan.hosts import decide_hosts
from operator_steps import certify, deployed
from simulation import Simulation
from stage import settings

SPACE = "haikube-gateway"


async def served(world: Simulation) -> dict[str, str]:
    """Return the certificate that each host is served with."""
    gateways = await world.cluster.list(GATEWAYS, SPACE)
    secrets = {each["metadata"]["name"]: each for each in await copies(world)}
    return {
        each["hostname"]: secrets[each["tls"]["certificateRefs"][0]["name"]]["data"]["tls.crt"]
        for gateway in gateways.items
        for each in gateway["spec"]["listeners"]
    }


async def copies(world: Simulation) -> list[Any]:
    return list((await world.cluster.list(SECRETS, SPACE)).items)


async def test_a_certificate_is_served_and_its_route_is_at_the_listener() -> None:
    world = await deployed()
    await certify(world, "www.example.com")
    (gateway,) = (await world.cluster.list(GATEWAYS, SPACE)).items
    (route,) = (await world.cluster.list(HTTP_ROUTES, b.NAMESPACE)).items

    chain = b.encoded({"c": pem.pair("www.example.com")[0]})["c"]
    assert await served(world) == {"www.example.com": chain}
    parents = [each["name"] for each in route["spec"]["parentRefs"]]
    assert parents == ["haikube", gateway["metadata"]["name"]]


async def test_another_certificate_takes_the_place_and_the_old_key_is_gone() -> None:
    world = await deployed()
    await certify(world, "www.example.com")
    await certify(world, "www.example.com", serial=2)

    chain = b.encoded({"c": pem.pair("www.example.com", serial=2)[0]})["c"]
    assert await served(world) == {"www.example.com": chain}
    assert len(await copies(world)) == 1


async def test_nothing_is_left_of_a_certificate_that_is_removed() -> None:
    world = await deployed()
    await certify(world, "www.example.com")
    spec = {"domains": [{"hostname": "www.example.com"}], "certificates": []}
    await world.cluster.patch(APPS, "hello", b.NAMESPACE, {"spec": spec})
    await world.settle()

    assert await served(world) == {}
    assert await copies(world) == []


async def test_nothing_is_left_of_an_app_that_is_deleted() -> None:
    world = await deployed()
    await certify(world, "www.example.com")
    await world.cluster.delete(APPS, "hello", b.NAMESPACE)
    await world.settle()

    assert await served(world) == {}
    assert await copies(world) == []


async def test_a_settled_certificate_is_written_to_no_more_and_a_restart_writes_nothing() -> None:
    world = await deployed()
    await certify(world, "www.example.com")
    before = world.writes
    await world.settle()
    await world.start()
    await world.settle()

    assert world.writes == before


async def test_a_listener_that_somebody_deletes_comes_back() -> None:
    world = await deployed()
    await certify(world, "www.example.com")
    (gateway,) = (await world.cluster.list(GATEWAYS, SPACE)).items
    await world.cluster.delete(GATEWAYS, gateway["metadata"]["name"], SPACE)
    await world.settle()

    assert list(await served(world)) == ["www.example.com"]


async def test_a_key_of_another_certificate_is_not_served_and_people_are_told() -> None:
    world = await deployed()
    await certify(world, "www.example.com")
    key = pem.pair("www.example.com", serial=2)[1]
    data = b.encoded({"tls.key": key})
    await world.cluster.patch(SECRETS, "hello-cert-kyoto-1", b.NAMESPACE, {"data": data})
    await world.settle()

    assert await served(world) == {}
    events = (await world.cluster.list(EVENTS, b.NAMESPACE)).items
    told = [each["message"] for each in events if each["reason"] == "CertificateRefused"]
    assert told[-1].startswith("certificate kyoto-1 is not served: The private key does not belong")


async def test_a_younger_app_does_not_answer_under_the_certificate_of_another_team() -> None:
    world = await deployed()
    await certify(world, "*.example.com")
    world.clock.advance(60)
    body = {
        "apiVersion": APPS.api_version,
        "kind": "App",
        "metadata": {"name": "thief", "namespace": "other"},
        "spec": {"domains": [{"hostname": "login.example.com"}]},
    }
    await world.cluster.create(APPS, body)
    await world.settle()
    assert world.operator is not None
    store = world.operator.store
    thief: App = store.value(APPS, "other", "thief")
    decided = decide_hosts(thief, find_rivals(store, thief, settings()), settings())

    assert decided.granted == ("thief.localhost",)
    assert "belongs to the older app team/hello" in decided.refused[0].message
