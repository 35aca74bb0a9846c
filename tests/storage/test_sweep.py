"""The sweeper on a storage and a cluster in memory."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from haikube.cluster.errors import Unreachable
from haikube.cluster.fake import Call, FakeCluster
from haikube.model.names import runtime_key
from haikube.model.resources import APPS, NAMESPACES, STACKS
from haikube.operator.adopt import adopt
from haikube.operator.claim import KEY
from haikube.operator.sweep import NotOurs, Sweeper
from haikube.plan.sweep import Mercy
from haikube.storage.memory import MemoryStorage
from haikube.storage.port import StorageError

MERCY = Mercy(upload=3600, history=86_400, app=259_200, share=10)
GONE = "22222222-2222-2222-2222-222222222222"


def cluster_with_home(age: int = 0) -> FakeCluster:
    """Return a cluster; one of another age has other uids."""
    made = FakeCluster()
    for name in (*(f"before-{number}" for number in range(age)), "kube-system"):
        made.seed(NAMESPACES, {"metadata": {"name": name}})
    return made


@pytest.fixture
def cluster() -> FakeCluster:
    return cluster_with_home()


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
    return made


@pytest.fixture
def now() -> list[datetime]:
    """Return the time as the sweeper sees it; a test moves it."""
    return [datetime(2026, 1, 1, tzinfo=UTC)]


@pytest.fixture
def sweeper(cluster: FakeCluster, storage: MemoryStorage, now: list[datetime]) -> Sweeper:
    return sweeper_of(cluster, storage, now)


def sweeper_of(cluster: FakeCluster, storage: MemoryStorage, now: list[datetime]) -> Sweeper:
    return Sweeper(cluster, storage, mercy=MERCY, now=lambda: now[0])


def claimed(storage: MemoryStorage) -> dict[str, Any]:
    return dict(json.loads(storage.objects[KEY]))


def bytes_of(storage: MemoryStorage) -> set[str]:
    return set(storage.objects) - {KEY}


async def test_a_dry_run_changes_nothing(sweeper: Sweeper, storage: MemoryStorage) -> None:
    before = dict(storage.objects)
    found = await sweeper.run(dry_run=True)

    assert GONE in found.seen
    assert storage.objects == before


async def test_a_sweep_says_whose_the_bucket_is_and_removes_nothing_on_its_first_day(
    sweeper: Sweeper, storage: MemoryStorage, live: str, cluster: FakeCluster
) -> None:
    before = bytes_of(storage)
    found = await sweeper.run()
    home = await cluster.get(NAMESPACES, "kube-system")

    assert found.dead == ()
    assert bytes_of(storage) == before
    assert claimed(storage) == {
        "cluster": home["metadata"]["uid"],
        "seen": dict.fromkeys((GONE, f"slugs/{live}/unused.tar.zst"), "2026-01-01T00:00:00Z"),
    }


async def test_what_stays_unused_goes_when_its_days_are_over(
    sweeper: Sweeper, storage: MemoryStorage, live: str, now: list[datetime]
) -> None:
    await sweeper.run()
    now[0] += timedelta(days=1)
    assert [item.key for item in (await sweeper.run()).dead] == [f"slugs/{live}/unused.tar.zst"]
    now[0] += timedelta(days=2)
    assert len((await sweeper.run()).dead) == 2
    assert bytes_of(storage) == {f"git/{live}/refs.json"}
    assert (await sweeper.run()).dead == ()
    assert claimed(storage)["seen"] == {}


async def test_the_days_of_a_deleted_app_begin_with_its_deletion(
    sweeper: Sweeper, storage: MemoryStorage, now: list[datetime]
) -> None:
    await sweeper.run()
    app = str(uuid.UUID(int=9))
    await storage.put(f"git/{app}/refs.json", b"1")
    await sweeper.note_deleted(app)
    now[0] += timedelta(hours=1)
    await sweeper.run()

    assert claimed(storage)["seen"][app] == "2026-01-01T00:00:00Z"


async def test_nothing_is_noted_in_the_bucket_of_somebody_else(
    sweeper: Sweeper, storage: MemoryStorage
) -> None:
    await sweeper.note_deleted(GONE)
    assert KEY not in storage.objects


async def test_a_crd_that_is_installed_anew_loses_nothing(
    cluster: FakeCluster, sweeper: Sweeper, storage: MemoryStorage, live: str, now: list[datetime]
) -> None:
    await sweeper.run()
    before = bytes_of(storage)
    await cluster.delete(APPS, "hello", "a")
    await sweeper.note_deleted(live)
    cluster.seed(APPS, {"metadata": {"name": "hello", "namespace": "a"}, "spec": {}})
    for _ in range(23):
        now[0] += timedelta(hours=1)
        await sweeper.run()

    assert bytes_of(storage) == before


async def test_a_second_cluster_on_the_same_bucket_removes_nothing(
    sweeper: Sweeper, storage: MemoryStorage, now: list[datetime]
) -> None:
    await sweeper.run()
    before = dict(storage.objects)
    other = cluster_with_home(age=7)
    other.seed(APPS, {"metadata": {"name": "theirs", "namespace": "a"}, "spec": {}})
    second = sweeper_of(other, storage, now)
    now[0] += timedelta(days=30)

    with pytest.raises(NotOurs, match=r"is claimed by cluster .* run haikube-operator claim"):
        await second.run()
    assert storage.objects == before


async def test_a_bucket_in_which_nothing_is_known_is_claimed_by_nobody(
    storage: MemoryStorage, now: list[datetime]
) -> None:
    stranger = sweeper_of(cluster_with_home(), storage, now)
    before = dict(storage.objects)

    with pytest.raises(NotOurs, match="holds no app of ours"):
        await stranger.run()
    assert storage.objects == before


RUNTIME = {"language": "ruby", "version": "3.4.7", "digest": "sha256:" + "a" * 64}
MADE = runtime_key("debian-13", "ruby-3.4.7", RUNTIME["digest"])
REPLACED = runtime_key("debian-13", "ruby-3.4.7", "sha256:" + "b" * 64)


async def test_a_runtime_that_was_replaced_goes_when_its_days_are_over(
    cluster: FakeCluster, sweeper: Sweeper, storage: MemoryStorage, now: list[datetime]
) -> None:
    cluster.seed(STACKS, {"metadata": {"name": "debian-13"}, "spec": {"runtimes": [RUNTIME]}})
    for key in (MADE, REPLACED):
        await storage.put(key, b"made")
    now[0] = datetime.now(UTC) + timedelta(hours=2)
    await sweeper.run()
    now[0] += timedelta(days=3)

    assert REPLACED in {item.key for item in (await sweeper.run()).dead}
    assert MADE in storage.objects
    assert REPLACED not in storage.objects


@pytest.mark.parametrize(("named", "ours"), [(True, True), (False, False)])
async def test_runtimes_alone_say_whose_a_bucket_is(
    cluster: FakeCluster, now: list[datetime], *, named: bool, ours: bool
) -> None:
    storage = MemoryStorage()
    await storage.put(MADE, b"made")
    entries = [RUNTIME] if named else []
    cluster.seed(STACKS, {"metadata": {"name": "debian-13"}, "spec": {"runtimes": entries}})
    sweeper = sweeper_of(cluster, storage, now)

    if ours:
        assert (await sweeper.run()).dead == ()
    else:
        with pytest.raises(NotOurs, match="holds no app of ours"):
            await sweeper.run()
    assert (KEY in storage.objects) is ours


async def test_a_bucket_that_a_person_claims_is_swept_with_all_days_of_grace(
    sweeper: Sweeper, storage: MemoryStorage, now: list[datetime]
) -> None:
    await sweeper.run()
    now[0] += timedelta(days=30)
    other = cluster_with_home(age=7)
    second = sweeper_of(other, storage, now)
    before = bytes_of(storage)

    mine = await second.claim()
    assert (await second.run()).dead == ()
    assert bytes_of(storage) == before
    assert claimed(storage)["cluster"] == mine
    with pytest.raises(NotOurs):
        await sweeper.run()


async def test_a_damaged_claim_removes_nothing(sweeper: Sweeper, storage: MemoryStorage) -> None:
    await storage.put(KEY, b'{"cluster": 7')
    with pytest.raises(StorageError, match="is damaged"):
        await sweeper.run()


async def test_an_app_from_a_backup_is_given_its_bytes_again(
    cluster: FakeCluster, storage: MemoryStorage, live: str
) -> None:
    await storage.put(f"git/{GONE}/packs/p.pack", b"pack")
    await storage.delete(f"git/{live}/refs.json")
    assert await adopt(cluster, storage, GONE, "a", "hello") == 3
    again = await adopt(cluster, storage, GONE, "a", "hello")

    assert again == 0
    assert storage.objects[f"git/{live}/packs/p.pack"] == b"pack"
    assert storage.objects[f"git/{live}/refs.json"] == storage.objects[f"git/{GONE}/refs.json"]


async def test_what_an_app_has_is_not_written_over(
    cluster: FakeCluster, storage: MemoryStorage, live: str
) -> None:
    await storage.put(f"git/{live}/refs.json", b"newer")
    await adopt(cluster, storage, GONE, "a", "hello")

    assert storage.objects[f"git/{live}/refs.json"] == b"newer"


async def test_bytes_of_an_app_that_lives_are_given_to_nobody(
    cluster: FakeCluster, storage: MemoryStorage, live: str
) -> None:
    with pytest.raises(StorageError, match="is the app a/hello, it lives"):
        await adopt(cluster, storage, live, "a", "hello")
    with pytest.raises(StorageError, match="nothing is stored under"):
        await adopt(cluster, storage, str(uuid.UUID(int=8)), "a", "hello")


@pytest.mark.parametrize("kind", ["apps", "builds", "releases", "stacks"])
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
