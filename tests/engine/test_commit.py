"""Carrying out plans: order, annotations, deletions, statuses, events and faults."""

from __future__ import annotations

import pytest

from engine.committing import World, secret
from engine.objects import PARTS, THINGS, part
from haikube.cluster.errors import ApiError, Conflict
from haikube.cluster.fake import Call
from haikube.cluster.port import Json
from haikube.engine.outcome import Committed, Stale
from haikube.model.intents import Annotate, Apply, Create, Delete, Event, Plan, Presign
from haikube.model.resources import EVENTS, SECRETS, Resource


async def test_an_annotation_is_written_once(world: World) -> None:
    await world.commit(Apply(PARTS, part(world.owner, size=1)))
    uid = (await world.cluster.get(PARTS, "part", "ns"))["metadata"]["uid"]
    wish = Annotate(PARTS, "ns", "part", uid, {"dyno": "web.1"})

    assert await world.commit(wish) == ["patch part"]
    assert await world.commit(wish) == []


@pytest.mark.parametrize("name", ["part", "unknown"])
async def test_an_annotation_never_reaches_another_object(world: World, name: str) -> None:
    await world.commit(Apply(PARTS, part(world.owner, size=1)))

    with pytest.raises(Stale):
        await world.commit(Annotate(PARTS, "ns", name, "another", {"a": "b"}))

    assert world.cluster.writes == []


async def test_a_deletion_is_done_once(world: World) -> None:
    await world.commit(Apply(PARTS, part(world.owner, size=1)))
    wish = await _deletion(world)

    assert await world.commit(wish) == ["delete part"]
    assert world.store.get(PARTS, "ns", "part") is None
    result = await world.committer.commit(Plan((wish,)), THINGS, world.owner)
    assert result == Committed(writes=0)


async def test_a_deletion_spares_what_has_changed(world: World) -> None:
    await world.commit(Apply(PARTS, part(world.owner, size=1)))
    wish = await _deletion(world)
    await world.edit("part", {"spec": {"size": 2}})

    with pytest.raises(Stale):
        await world.commit(wish)

    live = await world.cluster.get(PARTS, "part", "ns")
    assert world.store.get(PARTS, "ns", "part") == _unmanaged(live)


async def _deletion(world: World) -> Delete:
    live = await world.cluster.get(PARTS, "part", "ns")
    metadata = live["metadata"]
    return Delete(PARTS, "ns", "part", metadata["uid"], metadata["resourceVersion"])


def _unmanaged(obj: Json) -> Json:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


async def test_a_conflict_over_something_unknown_is_stale(world: World) -> None:
    def conflict(call: Call) -> None:
        if call.verb == "delete":
            raise Conflict(409, "Conflict", "changed")

    world.cluster.fault = conflict

    with pytest.raises(Stale):
        await world.commit(Delete(PARTS, "ns", "nobody", "u1", "1"))


# Status and events


async def test_a_status_is_written_only_when_it_says_something_new(world: World) -> None:
    conditions = [{"type": "B", "status": "True"}, {"type": "A", "status": "True"}]

    assert await world.commit(status={"conditions": conditions, "url": None}) == [
        "apply_status boss"
    ]
    assert await world.commit(status={"conditions": conditions[::-1]}) == []
    assert await world.commit(status={"ok": True, "conditions": []}) == ["apply_status boss"]
    assert await world.commit(status={"ok": True, "conditions": []}) == []
    live = await world.cluster.get(THINGS, "boss", "ns")
    assert live["status"] == {"ok": True}


async def test_no_wish_for_a_status_leaves_it_alone(world: World) -> None:
    await world.commit(status={"ok": True})

    assert await world.commit() == []


async def test_the_status_of_a_cluster_scoped_owner_is_written(world: World) -> None:
    wide = Resource("example.dev", "v1", "wides", "Wide", namespaced=False)
    owner = await world.cluster.create(wide, {"metadata": {"name": "w"}})
    world.store.put(wide, None, owner)

    assert await world.committer.commit_status(wide, owner, {"ok": True}) == 1
    assert (await world.cluster.get(wide, "w"))["status"] == {"ok": True}


@pytest.mark.parametrize("gone", [False, True])
async def test_the_status_of_another_owner_is_never_written(world: World, *, gone: bool) -> None:
    await world.cluster.delete(THINGS, "boss", "ns")
    if not gone:
        await world.cluster.create(THINGS, {"metadata": {"name": "boss", "namespace": "ns"}})
    await world.look()

    with pytest.raises(Stale):
        await world.commit(status={"ok": True})

    assert world.cluster.writes == []


async def test_writes_come_in_order_then_status_then_events(world: World) -> None:
    calls = await world.commit(
        Apply(PARTS, part(world.owner, "b", size=1)),
        Apply(PARTS, part(world.owner, "a", size=1)),
        status={"ok": True},
        events=(Event("Normal", "Done", "all is well"),),
    )

    assert calls[:3] == ["apply b", "apply a", "apply_status boss"]
    assert calls[3].startswith("create boss.")
    assert world.cluster.writes[3].resource == EVENTS


async def test_a_commit_tells_when_to_look_again_and_what_it_wrote(world: World) -> None:
    plan = Plan((Apply(PARTS, part(world.owner, size=1)),), {"ok": True}, requeue_after=5.0)

    first = await world.committer.commit(plan, THINGS, world.owner)
    second = await world.committer.commit(plan, THINGS, world.owner)

    assert (first, second) == (Committed(2, 5.0), Committed(0, 5.0))


async def test_no_signed_url_and_no_secret_value_is_in_an_error(world: World) -> None:
    def refuse(call: Call) -> None:
        if call.verb in {"create", "patch"}:
            raise ApiError(500, "InternalError", "the server is tired")

    world.cluster.fault = refuse
    wish = Create(SECRETS, secret(world, a="hunter2"), {"u": Presign("GET", "k", 1)})

    with pytest.raises(ApiError) as caught:
        await world.commit(wish)

    assert "hunter2" not in str(caught.value)
    assert "https://" not in str(caught.value)


@pytest.mark.parametrize("turn", range(12))
async def test_a_fault_at_any_call_heals_by_itself(world: World, turn: int) -> None:
    """F1: whichever call fails, the next passes arrive at the same end."""
    writes = (
        Apply(PARTS, part(world.owner, "a", size=1)),
        Create(SECRETS, secret(world, a="x")),
        Apply(PARTS, part(world.owner, "b", size=2)),
    )
    left = [turn]

    def fail_once(call: Call) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise ApiError(503, "ServiceUnavailable", call.verb)

    world.cluster.fault = fail_once
    for _ in range(3):
        try:
            await world.commit(*writes, status={"ok": True})
        except ApiError:
            world.begin_anew()
            await _look_until_it_works(world)

    world.cluster.fault = None
    assert await world.commit(*writes, status={"ok": True}) == []
    assert [obj["spec"] for obj in world.store.list(PARTS)] == [{"size": 1}, {"size": 2}]


async def _look_until_it_works(world: World) -> None:
    try:
        await world.look()
    except ApiError:
        await world.look()
