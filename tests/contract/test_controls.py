"""What only the cluster in memory can do: controls for tests."""

from __future__ import annotations

import pytest

from contract.widgets import WIDGETS, Place, fake_cluster
from haikube.cluster.errors import Forbidden, NotFound
from haikube.cluster.fake import Call, FakeCluster
from haikube.engine.ownership import covers, owned_fields
from haikube.model.resources import STACKS


@pytest.fixture
def cluster() -> FakeCluster:
    return fake_cluster()


async def test_a_seeded_object_keeps_its_status(cluster: FakeCluster) -> None:
    place = Place(cluster, "ns")
    cluster.seed(WIDGETS, {**place.widget(size=1), "status": {"note": "fine"}})

    found = await cluster.get(WIDGETS, "one", "ns")
    assert found["status"] == {"note": "fine"}
    assert cluster.writes == []


async def test_seeding_again_changes_and_leaves_owners_alone(cluster: FakeCluster) -> None:
    wanted = Place(cluster, "ns").widget(size=1)
    applied = await cluster.apply(WIDGETS, wanted, manager="us")

    seeded = cluster.seed(WIDGETS, {**wanted, "status": {"note": "fine"}})

    assert seeded["metadata"]["uid"] == applied["metadata"]["uid"]
    assert covers(owned_fields(seeded, "us"), wanted)


async def test_every_write_is_noted_and_no_read(cluster: FakeCluster) -> None:
    place = Place(cluster, "ns")
    await cluster.create(WIDGETS, place.widget())
    await cluster.get(WIDGETS, "one", "ns")
    await cluster.list(WIDGETS)
    await cluster.delete(WIDGETS, "one", "ns")

    assert cluster.writes == [
        Call("create", WIDGETS, "ns", "one"),
        Call("delete", WIDGETS, "ns", "one"),
    ]


async def test_a_fault_comes_before_the_call_does_anything(cluster: FakeCluster) -> None:
    def refuse(call: Call) -> None:
        raise Forbidden(403, "Forbidden", call.verb)

    cluster.fault = refuse
    with pytest.raises(Forbidden):
        await cluster.create(WIDGETS, Place(cluster, "ns").widget())

    cluster.fault = None
    assert cluster.writes == []
    assert (await cluster.list(WIDGETS)).items == ()


async def test_an_answer_may_be_changed_without_harm(cluster: FakeCluster) -> None:
    place = Place(cluster, "ns")
    for answer in (
        await cluster.create(WIDGETS, place.widget(size=1)),
        await cluster.get(WIDGETS, "one", "ns"),
        (await cluster.list(WIDGETS)).items[0],
        await cluster.apply(WIDGETS, place.widget(size=1), manager="us"),
        await cluster.patch(WIDGETS, "one", "ns", {"spec": {"size": 1}}),
    ):
        answer["spec"]["size"] = 99

    assert (await cluster.get(WIDGETS, "one", "ns"))["spec"] == {"size": 1}


async def test_a_watch_can_be_cut(cluster: FakeCluster) -> None:
    place = Place(cluster, "ns")
    await cluster.create(WIDGETS, place.widget())

    events = []
    async for event in cluster.watch(WIDGETS):
        events.append(event.type)
        cluster.cut_watches()

    assert events == ["ADDED"]


async def test_logs_are_what_a_test_put_in(cluster: FakeCluster) -> None:
    cluster.logs["ns", "pod"] = [b"one\n", b"two\n"]

    assert [chunk async for chunk in cluster.pod_log("pod", "ns")] == [b"one\n", b"two\n"]
    with pytest.raises(NotFound):
        _ = [chunk async for chunk in cluster.pod_log("other", "ns")]


async def test_a_cluster_scoped_object_has_no_namespace(cluster: FakeCluster) -> None:
    made = await cluster.create(STACKS, {"metadata": {"name": "debian-13"}, "spec": {}})

    assert "namespace" not in made["metadata"]
    assert await cluster.get(STACKS, "debian-13") == made
