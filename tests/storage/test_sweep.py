"""The sweeper on a storage and a cluster in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from haikube.cluster.errors import Unreachable
from haikube.cluster.fake import Call, FakeCluster
from haikube.model.resources import APPS
from haikube.operator.sweep import Sweeper
from haikube.storage.memory import MemoryStorage
from haikube.storage.port import StorageError

GONE = "22222222-2222-2222-2222-222222222222"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def live(cluster: FakeCluster) -> str:
    app = cluster.seed(APPS, {"metadata": {"name": "hello", "namespace": "a"}, "spec": {}})
    return str(app["metadata"]["uid"])


@pytest.fixture
async def storage(live: str) -> MemoryStorage:
    made = MemoryStorage()
    for key in (f"git/{GONE}/refs.json", f"caches/{GONE}/x", f"git/{live}/refs.json"):
        await made.put(key, b"12")
    await made.put(f"slugs/{live}/unused.tar.zst", b"123")
    made.age(f"slugs/{live}/unused.tar.zst", datetime.now(UTC) - timedelta(hours=2))
    return made


@pytest.fixture
def sweeper(cluster: FakeCluster, storage: MemoryStorage) -> Sweeper:
    return Sweeper(cluster, storage, grace=3600)


async def test_a_dry_run_only_tells(sweeper: Sweeper, storage: MemoryStorage, live: str) -> None:
    before = set(storage.objects)
    dead = {item.key for item in await sweeper.run(dry_run=True)}
    assert dead == {
        f"git/{GONE}/refs.json",
        f"caches/{GONE}/x",
        f"slugs/{live}/unused.tar.zst",
    }
    assert set(storage.objects) == before


async def test_a_run_removes_what_is_dead_and_a_second_finds_nothing(
    sweeper: Sweeper, storage: MemoryStorage, live: str
) -> None:
    assert len(await sweeper.run()) == 3
    assert set(storage.objects) == {f"git/{live}/refs.json"}
    assert await sweeper.run() == []


async def test_one_deleted_app_is_swept_at_once(
    sweeper: Sweeper, storage: MemoryStorage, live: str
) -> None:
    await sweeper.sweep_app(GONE)
    assert set(storage.objects) == {f"git/{live}/refs.json", f"slugs/{live}/unused.tar.zst"}


async def test_an_app_that_lives_is_never_swept_by_name(
    sweeper: Sweeper, storage: MemoryStorage, live: str
) -> None:
    before = set(storage.objects)
    assert await sweeper.sweep_app(live) == []
    assert set(storage.objects) == before


@pytest.mark.parametrize("kind", ["apps", "builds", "releases"])
async def test_nothing_goes_when_the_cluster_cannot_be_read(
    cluster: FakeCluster, sweeper: Sweeper, storage: MemoryStorage, kind: str
) -> None:
    def down(call: Call) -> None:
        if call.resource.plural == kind:
            raise Unreachable(0, "Timeout", "no answer")

    cluster.fault = down
    before = set(storage.objects)
    with pytest.raises(Unreachable):
        await sweeper.run()
    assert set(storage.objects) == before


async def test_nothing_goes_when_the_storage_cannot_be_listed(
    sweeper: Sweeper, storage: MemoryStorage
) -> None:
    storage.down = "no answer"
    with pytest.raises(StorageError):
        await sweeper.run()
