"""Applying: what is written, what is not, and what is never taken over."""

from __future__ import annotations

import pytest

from engine.committing import World
from engine.objects import DIGEST, PARTS, owned_by, part
from haikube.cluster.errors import Forbidden
from haikube.cluster.fake import Call
from haikube.cluster.port import Json
from haikube.engine.outcome import Contested, Foreign, Stale
from haikube.engine.patience import REPAIRS, SECONDS
from haikube.model.intents import Apply, Create


async def test_an_apply_is_done_once(world: World) -> None:
    wish = Apply(PARTS, part(world.owner, size=1))

    assert await world.commit(wish) == ["apply part"]
    assert await world.commit(wish) == []
    assert world.store.get(PARTS, "ns", "part") is not None


async def test_a_new_wish_is_applied(world: World) -> None:
    await world.commit(Apply(PARTS, part(world.owner, size=1, color="red")))

    assert await world.commit(Apply(PARTS, part(world.owner, size=2))) == ["apply part"]
    live = await world.cluster.get(PARTS, "part", "ns")
    assert live["spec"] == {"size": 2}


async def test_nothing_is_written_after_a_restart(world: World) -> None:
    wish = Apply(PARTS, part(world.owner, size=1))
    await world.commit(wish, status={"ok": True})
    world.begin_anew()
    await world.look()

    assert await world.commit(wish, status={"ok": True}) == []


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(
    "edit",
    [
        {"spec": {"size": 9}},
        {"spec": {"size": None}},
        {"metadata": {"labels": {"mine": "theirs"}}},
        {"metadata": {"annotations": {DIGEST: None}}},
    ],
)
async def test_an_edit_is_repaired(world: World, edit: Json, *, restart: bool) -> None:
    body = part(world.owner, size=1)
    body["metadata"]["labels"] = {"mine": "yes"}
    await world.commit(Apply(PARTS, body))
    if restart:
        world.begin_anew()
    await world.edit("part", edit)
    await world.look()

    assert await world.commit(Apply(PARTS, body)) == ["apply part"]
    assert await world.commit(Apply(PARTS, body)) == []
    live = await world.cluster.get(PARTS, "part", "ns")
    assert live["spec"] == {"size": 1}
    assert live["metadata"]["labels"] == {"mine": "yes"}


async def test_an_edit_of_other_fields_is_left_alone(world: World) -> None:
    wish = Apply(PARTS, part(world.owner, size=1))
    await world.commit(wish)
    await world.edit("part", {"spec": {"note": "theirs"}})
    await world.look()

    assert await world.commit(wish) == []


async def test_there_is_no_endless_fight(world: World) -> None:
    wish = Apply(PARTS, part(world.owner, size=1))
    await world.commit(wish)
    for _ in range(REPAIRS):
        await world.edit("part", {"spec": {"size": 9}})
        await world.look()
        assert await world.commit(wish) == ["apply part"]
    await world.edit("part", {"spec": {"size": 9}})
    await world.look()

    with pytest.raises(Contested, match="managedFields"):
        await world.commit(wish)
    assert await world.commit(Apply(PARTS, part(world.owner, size=2))) == ["apply part"]

    await world.edit("part", {"spec": {"size": 9}})
    await world.look()
    world.clock.advance(SECONDS)
    assert await world.commit(Apply(PARTS, part(world.owner, size=2))) == ["apply part"]


async def test_an_owner_reference_that_was_removed_is_put_back(world: World) -> None:
    wish = Apply(PARTS, part(world.owner, size=1))
    await world.commit(wish)
    await world.edit("part", {"metadata": {"ownerReferences": None}})
    await world.look()

    assert await world.commit(wish) == ["apply part"]
    live = await world.cluster.get(PARTS, "part", "ns")
    assert live["metadata"]["ownerReferences"] == owned_by(world.owner)["ownerReferences"]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("theirs", [{}, {"uid": "u9", "kind": "Boss", "name": "other"}])
async def test_what_belongs_to_others_is_never_taken_over(
    world: World, theirs: Json, *, known: bool
) -> None:
    references = [{**theirs, "controller": True}] if theirs else []
    metadata = {"name": "part", "namespace": "ns", "ownerReferences": references}
    world.cluster.seed(PARTS, {"metadata": metadata, "spec": {"size": 9}})
    if known:
        await world.look()
    world.cluster.writes.clear()

    for write in (
        Apply(PARTS, part(world.owner, size=1)),
        Create(PARTS, part(world.owner, size=1), renew=True),
    ):
        with pytest.raises(Foreign, match="Boss other" if theirs else "by hand") as caught:
            await world.commit(write, status={"ok": True})
        assert (caught.value.resource, caught.value.name) == (PARTS, "part")
        assert {call.verb for call in world.cluster.writes} <= {"create"}
    live = await world.cluster.get(PARTS, "part", "ns")
    assert live["spec"] == {"size": 9}


async def test_an_object_that_was_replaced_meanwhile_is_not_touched(world: World) -> None:
    wish = Apply(PARTS, part(world.owner, size=1))
    await world.commit(wish)
    await world.cluster.delete(PARTS, "part", "ns")
    await world.cluster.create(PARTS, part(world.owner, size=7))

    with pytest.raises(Stale):
        await world.commit(Apply(PARTS, part(world.owner, size=2)))

    seen = world.store.get(PARTS, "ns", "part")
    assert seen is not None
    assert seen["spec"] == {"size": 7}


async def test_an_object_that_was_deleted_meanwhile_is_made_anew_next_time(world: World) -> None:
    await world.commit(Apply(PARTS, part(world.owner, size=1)))
    await world.cluster.delete(PARTS, "part", "ns")
    wish = Apply(PARTS, part(world.owner, size=2))

    with pytest.raises(Stale, match="Part ns/part"):
        await world.commit(wish)

    assert await world.commit(wish) == ["apply part"]


async def test_a_refusal_passes_through(world: World) -> None:
    def refuse(call: Call) -> None:
        if call.verb == "apply":
            raise Forbidden(403, "Forbidden", "exceeded quota")

    world.cluster.fault = refuse

    with pytest.raises(Forbidden, match="quota"):
        await world.commit(Apply(PARTS, part(world.owner, size=1)))


# Objects with pods


def podded(owner: Json, *, size: int = 1, template: Json) -> Json:
    return part(owner, size=size, template=template)


async def test_another_way_of_writing_the_same_pods_replaces_none(world: World) -> None:
    """A newer process renders the template otherwise; the revision is the same."""
    await world.commit(Apply(PARTS, podded(world.owner, template={"a": 1}), "r1"))
    newer = {"a": 1, "added": {"by": "default"}}

    assert await world.commit(Apply(PARTS, podded(world.owner, template=newer), "r1")) == []
    scaled = Apply(PARTS, podded(world.owner, size=2, template=newer), "r1")
    assert await world.commit(scaled) == ["apply part"]
    assert await world.commit(scaled) == []
    live = await world.cluster.get(PARTS, "part", "ns")
    assert live["spec"] == {"size": 2, "template": {"a": 1}}

    world.begin_anew()
    await world.look()
    assert await world.commit(scaled) == []


async def test_another_revision_takes_the_new_template(world: World) -> None:
    await world.commit(Apply(PARTS, podded(world.owner, template={"a": 1}), "r1"))
    newer = podded(world.owner, template={"a": 2})

    assert await world.commit(Apply(PARTS, newer, "r2")) == ["apply part"]
    assert (await world.cluster.get(PARTS, "part", "ns"))["spec"]["template"] == {"a": 2}


async def test_an_edited_template_is_repaired(world: World) -> None:
    wish = Apply(PARTS, podded(world.owner, template={"a": 1}), "r1")
    await world.commit(wish)
    await world.edit("part", {"spec": {"template": {"a": 9}}})
    await world.look()

    assert await world.commit(wish) == ["apply part"]
    assert (await world.cluster.get(PARTS, "part", "ns"))["spec"]["template"] == {"a": 1}
