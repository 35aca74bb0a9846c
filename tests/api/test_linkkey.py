"""Links hold in every replica and after every restart, whatever keys the storage has."""

from __future__ import annotations

import asyncio
import base64

import pytest

from haikube.api.kernel import linkkey
from haikube.api.kernel.capability import Capabilities
from haikube.api.kernel.linkkey import NAME, UnfitKey, link_key
from haikube.api.kernel.seal import Seals
from haikube.cluster.errors import Unreachable
from haikube.cluster.fake import Call, FakeCluster
from haikube.model.resources import SECRETS
from world import World, running

PLACE = "haikube-system"


async def test_replicas_that_start_at_once_share_one_key() -> None:
    cluster = FakeCluster()

    keys = await asyncio.gather(*(link_key(cluster, PLACE) for _ in range(5)))

    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert [call.verb for call in cluster.writes].count("create") >= 1
    assert await link_key(cluster, PLACE) == keys[0], "and whoever comes later"


async def test_whoever_loses_the_race_takes_the_winners() -> None:
    cluster, seen = FakeCluster(), []

    def race(call: Call) -> None:
        if call.verb == "create":
            cluster.fault = None
            key = base64.b64encode(b"w" * 32).decode()
            meta = {"name": NAME, "namespace": PLACE}
            seen.append(cluster.seed(SECRETS, {"metadata": meta, "data": {"key": key}}))

    cluster.fault = race

    assert await link_key(cluster, PLACE) == b"w" * 32
    assert seen


async def test_an_api_server_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linkkey, "_PAUSE", 0)
    cluster, left = FakeCluster(), [1, 2, 3]

    def away(call: Call) -> None:
        if left:
            left.pop()
            raise Unreachable(0, "Unreachable", f"{call.verb}: no answer")

    cluster.fault = away

    assert len(await link_key(cluster, PLACE)) == 32


@pytest.mark.parametrize("data", [{}, {"key": ""}, {"key": "c2hvcnQ="}, {"key": "!"}, None])
async def test_a_secret_without_a_key_is_said_and_not_used(data: dict[str, str] | None) -> None:
    cluster = FakeCluster()
    cluster.seed(SECRETS, {"metadata": {"name": NAME, "namespace": PLACE}, "data": data})

    with pytest.raises(UnfitKey, match="delete it, and restart the api"):
        await link_key(cluster, PLACE)


def parts(world: World) -> tuple[Capabilities, Seals]:
    context = world.app.state.context
    return context.capabilities, context.seals


async def test_a_link_of_one_replica_opens_in_another_and_after_a_restart() -> None:
    async with running() as first:
        capabilities, seals = parts(first)
        link = capabilities.grant("upload", "source", 60)
        seal = seals.seal("tail", {"app": "hello"}, 60)
        for _ in range(2):
            async with running(beside=first) as other:
                capabilities, seals = parts(other)
                assert capabilities.check(link, "upload") == "source"
                assert seals.open("tail", seal) == {"app": "hello"}
