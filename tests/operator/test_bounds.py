"""What builds may store, and what happens to those that store more."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

import builders as b
from haikube.cluster.fake import FakeCluster
from haikube.engine.clock import FakeClock
from haikube.model import labels
from haikube.model.names import cache_key, log_key, result_key, slug_key
from haikube.model.resources import APPS, BUILDS, EVENTS
from haikube.model.times import format_time
from haikube.operator.bounds import Bounds
from haikube.operator.watched import new_store
from haikube.storage.memory import MemoryStorage
from haikube.storage.port import Stored
from stage import NOW, settings

APP, BUILD = "uid-app-hello", "uid-build-b1"
SLUG, LOG, RESULT = (key(APP, BUILD) for key in (slug_key, log_key, result_key))
CACHE = cache_key(APP, "debian-13")


async def looked(stored: dict[str, int], started: int = 10, **status: Any) -> tuple[Any, set[str]]:
    """Measure a build that began so many seconds ago; returns it, and what is left of it."""
    chosen = settings(slug_limit=1000, cache_limit=2000, build_log_limit=300)
    cluster, storage, store = FakeCluster(), MemoryStorage(), new_store(chosen)
    began = format_time(NOW - timedelta(seconds=started))
    build = b.build(
        status={"result": "Running", "stack": "debian-13", "startedAt": began, **status}
    )
    for kind, obj in ((APPS, b.app()), (BUILDS, build)):
        cluster.seed(kind, obj)
        store.put(kind, None, obj)
    for key, size in stored.items():
        await storage.put(key, b"x" * size)
    await Bounds(cluster, storage, store, chosen, FakeClock(NOW)).look()
    found = await cluster.get(BUILDS, "b1", build["metadata"]["namespace"])
    events = (await cluster.list(EVENTS, build["metadata"]["namespace"])).items
    told = [each["message"] for each in events]
    assert bool(told) == (len(storage.objects) < len(stored))
    return found, set(storage.objects)


async def test_what_an_honest_build_stores_stays() -> None:
    stored = {SLUG: 1000, CACHE: 2000, LOG: 600, RESULT: 1 << 20}
    build, left = await looked(stored)
    assert left == set(stored)
    assert not build["spec"].get("cancel")


@pytest.mark.parametrize(
    ("key", "size"), [(SLUG, 1001), (CACHE, 2001), (LOG, 601), (RESULT, (1 << 20) + 1)]
)
async def test_a_build_that_stores_too_much_is_ended(key: str, size: int) -> None:
    build, left = await looked({SLUG: 1, CACHE: 1, LOG: 1, RESULT: 1, key: size})
    assert left == {SLUG, CACHE, LOG, RESULT} - {key}
    assert build["spec"]["cancel"] is True


async def test_a_finished_build_may_still_write_and_has_nothing_left_to_end() -> None:
    build, left = await looked({SLUG: 5000}, result="Succeeded")
    assert left == set()
    assert not build["spec"].get("cancel")


async def test_a_limit_that_was_lowered_takes_no_slug_away() -> None:
    recorded = {"digest": b.DIGEST, "sizeBytes": 5000}
    _, left = await looked({SLUG: 5000}, result="Succeeded", slug=recorded)
    assert left == {SLUG}


async def test_what_no_url_reaches_any_more_is_left_alone() -> None:
    _, left = await looked({SLUG: 5000}, started=2 * (900 + 300) + 61)
    assert left == {SLUG}
    _, left = await looked({SLUG: 5000}, startedAt=None)
    assert left == {SLUG}


class CountedStorage(MemoryStorage):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    async def head(self, key: str) -> Stored:
        self.asked["head"] += 1
        return await super().head(key)

    async def list(self, prefix: str) -> AsyncIterator[Stored]:
        self.asked["list"] += 1
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield await super().head(key)


class Watched:
    """Builds of one app that have just ended, and who measures them."""

    def __init__(self, builds: int) -> None:
        self.settings = settings(slug_limit=1000, cache_limit=2000, build_log_limit=300)
        self.clock, self.storage = FakeClock(NOW), CountedStorage()
        self.cluster, self.store = FakeCluster(), new_store(self.settings)
        self.take_in(APPS, b.app())
        for number in range(builds):
            self.take_in(BUILDS, self.build(f"b{number}", result="Succeeded"))
        self.bounds = Bounds(self.cluster, self.storage, self.store, self.settings, self.clock)

    def take_in(self, kind: Any, obj: Any) -> None:
        self.cluster.seed(kind, obj)
        self.store.put(kind, None, obj)

    def build(self, name: str, **status: Any) -> Any:
        return b.build(name, status={"stack": "debian-13", "startedAt": format_time(NOW), **status})

    async def stored(self, key: str, size: int = 5000) -> bool:
        """Store something, look once, and return whether it is still there."""
        await self.storage.put(key, b"x" * size)
        await self.bounds.look()
        return key in self.storage.objects


async def test_a_thousand_builds_are_measured_by_listings_and_a_few_by_looks() -> None:
    many = Watched(1000)
    assert not await many.stored(slug_key(APP, "uid-build-b700"))
    assert many.storage.asked == {"list": 2, "head": 1}, "they share a cache"

    few = Watched(3)
    assert not await few.stored(slug_key(APP, "uid-build-b2"))
    assert few.storage.asked == {"head": 3 * 3 + 1}


async def test_a_large_area_is_not_listed_for_the_sake_of_a_few() -> None:
    world = Watched(101)
    for number in range(7000):
        await world.storage.put(slug_key("uid-other", str(number)), b"")
    await world.bounds.look()
    world.storage.asked.clear()
    await world.bounds.look()
    assert world.storage.asked == {"head": 2 * 101 + 1, "list": 1}, "the logs are few"


async def test_a_build_is_read_once_after_it_has_ended() -> None:
    world = Watched(20)
    await world.bounds.look()
    read: list[str] = []
    world.store.get = lambda *place: read.append(place[-1])  # type: ignore[method-assign]
    await world.bounds.look()
    assert read == []


async def test_the_urls_of_a_deleted_build_are_good_until_their_end() -> None:
    world = Watched(1)
    await world.bounds.look()
    world.store.put(BUILDS, "DELETED", world.build("b0"))
    slug = slug_key(APP, "uid-build-b0")
    assert not await world.stored(slug)
    world.clock.advance(2 * (900 + 300) + 61)
    assert await world.stored(slug)


async def test_a_cache_that_was_purged_while_a_build_ran_is_measured_too() -> None:
    world = Watched(0)
    world.take_in(BUILDS, world.build("b1", result="Running"))
    await world.bounds.look()
    world.store.put(APPS, None, b.app(metadata={"annotations": {labels.BUILD_CACHE: "2"}}))
    assert not await world.stored(CACHE)
    assert not await world.stored(cache_key(APP, "debian-13", "2"))


async def test_a_storage_that_is_away_is_measured_when_it_is_back() -> None:
    world = Watched(1)
    slug = slug_key(APP, "uid-build-b0")
    world.storage.down = "away"
    await world.bounds.look()
    world.storage.down = ""
    assert not await world.stored(slug)
