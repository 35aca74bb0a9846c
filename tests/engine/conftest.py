"""What the tests of the engine have in common."""

from __future__ import annotations

import pytest

from engine.committing import World
from engine.objects import THINGS
from haikube.cluster.fake import FakeCluster


@pytest.fixture
async def world() -> World:
    cluster = FakeCluster()
    owner = await cluster.create(THINGS, {"metadata": {"name": "boss", "namespace": "ns"}})
    world = World(cluster, owner)
    await world.look()
    return world
