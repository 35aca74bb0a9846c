"""Carrying out plans: what is written, what is not, and what is never taken over."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.objects import DIGEST, MANAGER, PARTS, THINGS, owned_by, part
from haikube.cluster.errors import AlreadyExists, ApiError, Conflict, Forbidden
from haikube.cluster.fake import Call, FakeCluster
from haikube.cluster.port import Json
from haikube.engine.clock import FakeClock
from haikube.engine.commit import Committer
from haikube.engine.outcome import Committed, Contested, Foreign, Stale
from haikube.engine.patience import REPAIRS, SECONDS
from haikube.engine.store import Store
from haikube.model.intents import Annotate, Apply, Copy, Create, Delete, Event, Plan, Presign, Write
from haikube.model.meta import parse_meta
from haikube.model.resources import EVENTS, SECRETS, Resource

KINDS = (THINGS, PARTS, SECRETS)


async def sign(wish: Presign) -> str:
    return f"https://storage/{wish.key}?{wish.method}&{wish.seconds}"


@dataclass
class World:
    """A cluster with one owner in it, and an engine that knows it."""

    cluster: FakeCluster
    owner: Json
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Start the engine with nothing in memory."""
        self.store = Store(MANAGER)
        self.committer = Committer(
            self.cluster, sign, self.store, MANAGER, self.clock, digest_annotation=DIGEST
        )

    async def look(self) -> None:
        """Learn what is in the cluster, as the barrier and the watches do."""
        for kind in KINDS:
            self.store.replace(kind, await self.cluster.list(kind))

    async def commit(self, *writes: Write, **more: Any) -> list[str]:
        """Commit a plan; returns what was called, in short."""
        self.cluster.writes.clear()
        await self.committer.commit(Plan(writes, **more), THINGS, self.owner)
        return [f"{call.verb} {call.name}" for call in self.cluster.writes]

    async def edit(self, name: str, patch: Json) -> None:
        """Change a part as somebody with kubectl does."""
        await self.cluster.patch(PARTS, name, "ns", patch)


@pytest.fixture
async def world() -> World:
    cluster = FakeCluster()
    owner = await cluster.create(THINGS, {"metadata": {"name": "boss", "namespace": "ns"}})
    world = World(cluster, owner)
    await world.look()
    return world


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


# Create


def secret(world: World, **data: str) -> Json:
    metadata = {"name": "urls", "namespace": "ns", **owned_by(world.owner)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def decoded(obj: Json) -> dict[str, str]:
    return {key: base64.b64decode(text).decode() for key, text in obj["data"].items()}


async def test_a_creation_is_signed_and_done_once(world: World) -> None:
    wish = Create(SECRETS, secret(world, a="plain"), {"url": Presign("GET", "slug", 60)})

    assert await world.commit(wish) == ["create urls"]
    assert await world.commit(wish) == []
    live = await world.cluster.get(SECRETS, "urls", "ns")
    assert decoded(live) == {"a": "plain", "url": "https://storage/slug?GET&60"}


async def test_what_exists_already_counts_as_created(world: World) -> None:
    wish = Create(SECRETS, secret(world, a="mine"))
    await world.commit(wish)
    world.begin_anew()

    assert await world.commit(wish) == ["create urls"]
    assert await world.commit(wish) == ["create urls"], "what nobody watches is not kept"
    await world.look()
    assert await world.commit(wish) == []


async def test_what_came_while_it_was_to_be_created_is_looked_at_again(world: World) -> None:
    create = world.cluster.create

    async def overtaken(kind: Resource, body: Json) -> Json:
        world.store.put(kind, "ADDED", await create(kind, body))
        raise AlreadyExists(409, "AlreadyExists", "somebody else was faster")

    world.cluster.create = overtaken  # type: ignore[method-assign]
    wish = Create(SECRETS, secret(world, a="mine"))

    assert await world.committer.write([wish]) == 1
    assert await world.committer.write([wish]) == 0


async def test_a_creation_without_owner_accepts_one_without(world: World) -> None:
    body = {"metadata": {"name": "free", "namespace": "ns"}}
    await world.cluster.create(PARTS, body)

    assert await world.commit(Create(PARTS, body)) == ["create free"]


async def test_a_renewal_replaces_data_and_annotations(world: World) -> None:
    await world.commit(Create(SECRETS, secret(world, keep="x"), {"u": Presign("GET", "k", 1)}))
    body = secret(world)
    body["metadata"]["annotations"] = {"expires": "later"}

    wish = Create(SECRETS, body, {"u": Presign("GET", "k", 2)}, renew=True)
    assert await world.commit(wish) == ["patch urls"]

    live = await world.cluster.get(SECRETS, "urls", "ns")
    assert decoded(live) == {"keep": "x", "u": "https://storage/k?GET&2"}
    assert live["metadata"]["annotations"] == {"expires": "later"}


async def test_a_renewal_of_what_is_missing_creates_it(world: World) -> None:
    assert await world.commit(Create(SECRETS, secret(world), renew=True)) == ["create urls"]


async def test_a_name_that_is_taken_and_free_again_is_looked_at_again(world: World) -> None:
    def taken(call: Call) -> None:
        if call.verb == "create":
            raise AlreadyExists(409, "AlreadyExists", "there for a moment")

    world.cluster.fault = taken

    with pytest.raises(Stale):
        await world.commit(Create(SECRETS, secret(world)))


# Annotate and delete


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


async def copied(world: World, *keys: str, source: Json) -> Json:
    """Commit a copy of a Secret; returns its data."""
    body = {**part(world.owner, name="copy"), "apiVersion": "v1", "kind": "Secret"}
    await world.commit(Create(SECRETS, body, copied=Copy(parse_meta(source), keys)))
    return dict((await world.cluster.get(SECRETS, "copy", "ns"))["data"])


async def test_a_copy_has_the_values_of_the_version_that_the_plan_saw(world: World) -> None:
    body = {"metadata": {"name": "source", "namespace": "ns"}, "data": {"A": "MQ==", "B": "Mg=="}}
    source = await world.cluster.create(SECRETS, body)

    assert await copied(world, "A", source=source) == {"A": "MQ=="}


async def test_a_copy_of_a_secret_that_has_changed_since_is_stale(world: World) -> None:
    body = {"metadata": {"name": "source", "namespace": "ns"}, "data": {"A": "MQ=="}}
    source = await world.cluster.create(SECRETS, body)
    await world.cluster.patch(SECRETS, "source", "ns", {"data": {"A": "Mg=="}})

    with pytest.raises(Stale):
        await copied(world, "A", source=source)


async def test_a_copy_of_nothing_does_not_look(world: World) -> None:
    body = {"metadata": {"name": "source", "namespace": "ns"}}
    source = await world.cluster.create(SECRETS, body)
    looks: list[Call] = []
    world.cluster.fault = looks.append

    assert await copied(world, source=source) == {}
    assert not [each for each in looks if (each.verb, each.name) == ("get", "source")]
