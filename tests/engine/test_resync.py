"""What the watches missed is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engine.objects import MANAGER, PARTS, THINGS
from haikube.cluster.errors import NotFound, Unreachable
from haikube.cluster.fake import Call, FakeCluster
from haikube.cluster.port import Json
from haikube.engine.change import Change
from haikube.engine.clock import FakeClock, settle
from haikube.engine.resync import SOON, Resync, Watched
from haikube.engine.store import Store


class Scene:
    """A resync over a cluster in memory, with a record of the changes it told."""

    def __init__(self, jitter: float = 0.5) -> None:
        self.cluster, self.clock, self.store = FakeCluster(), FakeClock(), Store(MANAGER)
        self.told: list[str] = []
        self.compared: list[float] = []
        self.store.listener = self._note
        watched = [Watched(THINGS, labels="ours"), Watched(PARTS)]
        self.resync = Resync(
            self.cluster,
            self.store,
            watched,
            lambda _: self.compared.append(self.clock.monotonic()),
            self.clock,
            seconds=100,
            jitter=lambda: jitter,
        )

    def _note(self, change: Change, expected: Any) -> None:
        assert not expected
        verb = "deleted" if change.new is None else "changed" if change.old else "added"
        self.told.append(f"{verb} {change.object['metadata']['name']}")

    async def make(self, name: str, labels: Json | None = None) -> None:
        metadata = {"name": name, "namespace": "ns", "labels": labels or {"ours": ""}}
        await self.cluster.create(THINGS, {"metadata": metadata, "spec": {}})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.resync.run())
        await settle()
        yield
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    def lists(self) -> list[str]:
        """Record the lists from now on."""
        lists: list[str] = []

        def note(call: Call) -> None:
            if call.verb == "list":
                lists.append(call.resource.plural)

        self.cluster.fault = note
        return lists


def _unreachable(call: Call) -> None:
    raise Unreachable(0, "Unreachable", call.verb)


async def test_all_that_happened_in_a_gap_is_told() -> None:
    scene = Scene()
    for name in ("dead", "changed", "same"):
        await scene.make(name)
    scene.store.replace(THINGS, await scene.cluster.list(THINGS))
    scene.told.clear()
    await scene.cluster.delete(THINGS, "dead", "ns")
    await scene.cluster.patch(THINGS, "changed", "ns", {"spec": {"size": 1}})
    await scene.make("new")

    async with scene.running():
        await scene.clock.run_for(100)

    assert sorted(scene.told) == ["added new", "changed changed", "deleted dead"]
    found = scene.store.get(THINGS, "ns", "changed")
    assert found is not None
    assert found["spec"] == {"size": 1}


async def test_an_object_that_vanishes_while_it_is_read_is_no_error() -> None:
    scene = Scene()
    await scene.make("new")

    def vanish(call: Call) -> None:
        if call.verb == "get":
            raise NotFound(404, "NotFound", call.name)

    scene.cluster.fault = vanish
    await scene.resync.compare(Watched(THINGS))

    assert scene.told == []


async def test_what_the_watch_told_meanwhile_is_told_once() -> None:
    scene = Scene()
    await scene.make("new")
    found = await scene.cluster.get(THINGS, "new", "ns")

    def deliver(call: Call) -> None:
        if call.verb == "get":
            scene.store.put(THINGS, "ADDED", found)

    scene.cluster.fault = deliver
    await scene.resync.compare(Watched(THINGS))

    assert scene.told == ["added new"]


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 80), (0.5, 100), (1.0, 120)])
async def test_the_interval_varies_by_a_fifth(jitter: float, seconds: int) -> None:
    scene = Scene(jitter)
    lists = scene.lists()

    async with scene.running():
        await scene.clock.run_for(seconds - 1)
        assert lists == []
        await scene.clock.run_for(2)
        assert sorted(lists) == ["parts", "things"]
        await scene.clock.run_for(seconds)
        assert len(lists) == 4


async def test_a_sign_of_a_gap_brings_the_comparison_forward() -> None:
    scene = Scene()
    lists = scene.lists()

    async with scene.running():
        await scene.clock.run_for(10)
        scene.resync.soon(THINGS)
        scene.resync.soon(THINGS)
        await scene.clock.run_for(SOON - 0.1)
        assert lists == []
        await scene.clock.run_for(0.2)
        assert lists == ["things"]
        await scene.clock.run_for(90)
        assert sorted(lists) == ["parts", "things"]


async def test_a_failed_comparison_is_tried_again_soon() -> None:
    scene = Scene()
    await scene.make("one")
    scene.cluster.fault = _unreachable

    async with scene.running():
        await scene.clock.run_for(100)
        assert scene.told == []
        scene.cluster.fault = None
        await scene.clock.run_for(10)

    assert scene.told == ["added one"]
