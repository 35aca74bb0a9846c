"""Creating, renewing and copying: done once, and never over what somebody else has."""

from __future__ import annotations

import base64

import pytest

from engine.committing import World, secret
from engine.objects import PARTS, part, thing
from haikube.cluster.errors import AlreadyExists, ApiError, Forbidden, Unreachable
from haikube.cluster.fake import Call
from haikube.cluster.port import Json
from haikube.engine.outcome import Stale
from haikube.model.intents import Copy, Create, Place, Presign
from haikube.model.meta import parse_meta
from haikube.model.resources import SECRETS, Resource


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


# Copies


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


# What a new object owns, and what it says of another

OTHER = thing("other", uid="u2")


def owning(world: World, *names: str) -> Create:
    """Return the making of an object together with parts of its own."""
    unborn = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "urls", "uid": ""}}
    owned = tuple(Create(PARTS, part(unborn, name=name)) for name in names)
    return Create(SECRETS, secret(world), owned=owned)


async def test_what_a_new_object_owns_is_made_with_it(world: World) -> None:
    assert await world.commit(owning(world, "first", "second")) == [
        "create urls",
        "create first",
        "create second",
    ]
    owner = await world.cluster.get(SECRETS, "urls", "ns")
    for name in ("first", "second"):
        made = await world.cluster.get(PARTS, name, "ns")
        assert [each["uid"] for each in made["metadata"]["ownerReferences"]] == [
            owner["metadata"]["uid"]
        ]


async def test_an_object_that_was_there_is_left_to_ask_for_what_it_owns(world: World) -> None:
    await world.commit(Create(SECRETS, secret(world)))

    assert await world.commit(owning(world, "first")) == []


@pytest.mark.parametrize(
    "refusal",
    [Forbidden(403, "Forbidden", "over quota"), AlreadyExists(409, "AlreadyExists", "a moment")],
)
async def test_a_refusal_of_what_it_owns_is_no_refusal_of_the_object(
    world: World, refusal: ApiError
) -> None:
    def refuse(call: Call) -> None:
        if (call.verb, call.name) == ("create", "first"):
            raise refusal

    world.cluster.fault = refuse

    assert await world.committer.write([owning(world, "first")]) == 1
    assert world.store.get(SECRETS, "ns", "urls") is not None


async def test_what_somebody_else_has_under_the_name_stays(world: World) -> None:
    world.store.put(PARTS, None, await world.cluster.create(PARTS, part(OTHER, name="first")))

    assert await world.committer.write([owning(world, "first")]) == 1
    found = await world.cluster.get(PARTS, "first", "ns")
    assert found["metadata"]["ownerReferences"][0]["uid"] == OTHER["metadata"]["uid"]


async def test_a_server_that_is_away_ends_the_pass(world: World) -> None:
    def away(call: Call) -> None:
        if (call.verb, call.name) == ("create", "first"):
            raise Unreachable(0, "Unreachable", "no route")

    world.cluster.fault = away

    with pytest.raises(Unreachable):
        await world.committer.write([owning(world, "first")])


async def test_an_object_says_the_version_of_the_one_that_was_made_before_it(
    world: World,
) -> None:
    place = Place(SECRETS, "ns", "urls")
    body = part(world.owner, name="first")
    await world.commit(Create(SECRETS, secret(world)), Create(PARTS, body, noted={"of": place}))

    urls = await world.cluster.get(SECRETS, "urls", "ns")
    made = await world.cluster.get(PARTS, "first", "ns")
    assert made["metadata"]["annotations"] == {"of": urls["metadata"]["resourceVersion"]}


async def test_nothing_is_made_that_would_say_the_version_of_what_is_not_known(
    world: World,
) -> None:
    body = part(world.owner, name="first")
    wish = Create(PARTS, body, noted={"of": Place(SECRETS, "ns", "urls")})

    with pytest.raises(Stale):
        await world.commit(wish)
