"""What builds may store, and what happens to those that store more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import builders as b
from haikube.cluster.fake import FakeCluster
from haikube.engine.clock import FakeClock
from haikube.model.names import cache_key, log_key, result_key, slug_key
from haikube.model.resources import APPS, BUILDS, EVENTS
from haikube.model.times import format_time
from haikube.operator.bounds import Bounds
from haikube.operator.watched import new_store
from haikube.storage.memory import MemoryStorage
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
