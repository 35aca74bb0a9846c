"""Objects come, change and go alike in memory and on a real API server."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from contract.widgets import IMMUTABLE, WIDGETS, Place
from haikube.cluster.errors import AlreadyExists, Conflict, Invalid, NotFound, Unauthorized
from haikube.cluster.http import HttpCluster
from haikube.cluster.port import Json, WatchEvent
from haikube.model.resources import CONFIG_MAPS, LEASES, SECRETS


async def test_a_new_object_gets_its_identity_from_the_server(place: Place) -> None:
    made = await place.cluster.create(WIDGETS, place.widget(size=1))

    metadata = made["metadata"]
    assert metadata["uid"]
    assert int(metadata["resourceVersion"]) > 0
    assert metadata["generation"] == 1
    assert made == await place.cluster.get(WIDGETS, "one", place.namespace)


async def test_a_default_status_is_there_from_the_start(place: Place) -> None:
    made = await place.cluster.create(WIDGETS, place.widget(size=1))

    assert made["status"] == {"observedGeneration": -1}


async def test_a_name_is_taken_once(place: Place) -> None:
    await place.cluster.create(WIDGETS, place.widget(size=1))

    with pytest.raises(AlreadyExists):
        await place.cluster.create(WIDGETS, place.widget(size=2))


async def test_a_generated_name_starts_as_told(place: Place) -> None:
    body = place.widget(size=1)
    body["metadata"] = {"generateName": "some-", "namespace": place.namespace}

    first = await place.cluster.create(WIDGETS, body)
    second = await place.cluster.create(WIDGETS, body)

    assert first["metadata"]["name"].startswith("some-")
    assert first["metadata"]["name"] != second["metadata"]["name"]


async def test_what_is_not_there_is_not_found(place: Place) -> None:
    with pytest.raises(NotFound):
        await place.cluster.get(WIDGETS, "one", place.namespace)
    with pytest.raises(NotFound):
        await place.cluster.patch(WIDGETS, "one", place.namespace, {"spec": {"size": 1}})
    with pytest.raises(NotFound):
        await place.cluster.delete(WIDGETS, "one", place.namespace)
    with pytest.raises(NotFound):
        await place.cluster.apply_status(WIDGETS, place.widget(), manager="us")


async def test_only_the_spec_moves_the_generation(place: Place) -> None:
    await place.cluster.create(WIDGETS, place.widget(size=1))

    labelled = await place.cluster.patch(
        WIDGETS, "one", place.namespace, {"metadata": {"labels": {"a": "b"}}}
    )
    judged = await place.cluster.patch(
        WIDGETS, "one", place.namespace, {"status": {"note": "fine"}}, subresource="status"
    )
    grown = await place.cluster.patch(WIDGETS, "one", place.namespace, {"spec": {"size": 2}})

    assert [o["metadata"]["generation"] for o in (labelled, judged, grown)] == [1, 1, 2]
    assert grown["status"]["note"] == "fine"


async def test_a_merge_patch_removes_what_is_null(place: Place) -> None:
    await place.cluster.create(WIDGETS, place.widget(size=1, color="red"))

    patched = await place.cluster.patch(WIDGETS, "one", place.namespace, {"spec": {"color": None}})

    assert patched["spec"] == {"size": 1}


async def test_the_status_is_written_through_its_subresource_only(place: Place) -> None:
    await place.cluster.create(WIDGETS, {**place.widget(size=1), "status": {"note": "lost"}})

    applied = await place.cluster.apply(
        WIDGETS, {**place.widget(size=2), "status": {"note": "lost"}}, manager="us"
    )
    patched = await place.cluster.patch(
        WIDGETS, "one", place.namespace, {"spec": {"size": 9}}, subresource="status"
    )

    assert applied["status"] == {"observedGeneration": -1}
    assert patched["spec"] == {"size": 2}


async def test_a_rule_of_the_kind_refuses_a_change(place: Place) -> None:
    await place.cluster.create(WIDGETS, place.widget(shape="round"))

    with pytest.raises(Invalid, match=IMMUTABLE):
        await place.cluster.apply(WIDGETS, place.widget(shape="flat"), manager="us")


async def test_a_patch_is_guarded_by_uid_and_version(place: Place) -> None:
    made = await place.cluster.create(WIDGETS, place.widget(size=1))
    await place.cluster.patch(WIDGETS, "one", place.namespace, {"spec": {"size": 2}})
    old = made["metadata"]["resourceVersion"]

    for guard, refusal in (({"uid": "another"}, Invalid), ({"resourceVersion": old}, Conflict)):
        with pytest.raises(refusal):
            await place.cluster.patch(
                WIDGETS, "one", place.namespace, {"metadata": guard, "spec": {"size": 3}}
            )


async def test_a_deletion_is_guarded_by_uid_and_version(place: Place) -> None:
    made = await place.cluster.create(WIDGETS, place.widget(size=1))
    now = await place.cluster.patch(WIDGETS, "one", place.namespace, {"spec": {"size": 2}})
    uid, old = made["metadata"]["uid"], made["metadata"]["resourceVersion"]

    with pytest.raises(Conflict):
        await place.cluster.delete(WIDGETS, "one", place.namespace, uid="another")
    with pytest.raises(Conflict):
        await place.cluster.delete(WIDGETS, "one", place.namespace, resource_version=old)
    await place.cluster.delete(
        WIDGETS,
        "one",
        place.namespace,
        uid=uid,
        resource_version=now["metadata"]["resourceVersion"],
    )

    with pytest.raises(NotFound):
        await place.cluster.get(WIDGETS, "one", place.namespace)


async def test_a_finalizer_delays_the_deletion(place: Place) -> None:
    body = place.widget(size=1)
    body["metadata"]["finalizers"] = ["haikube.dev/test"]
    await place.cluster.create(WIDGETS, body)

    await place.cluster.delete(WIDGETS, "one", place.namespace)
    dying = await place.cluster.get(WIDGETS, "one", place.namespace)
    await place.cluster.patch(WIDGETS, "one", place.namespace, {"metadata": {"finalizers": None}})

    assert dying["metadata"]["deletionTimestamp"]
    with pytest.raises(NotFound):
        await place.cluster.get(WIDGETS, "one", place.namespace)


async def test_what_an_object_owns_goes_with_it(place: Place) -> None:
    changes = await _family(place)

    async with asyncio.timeout(60), aclosing(changes):
        await place.cluster.delete(CONFIG_MAPS, "parent", place.namespace)
        async for change in changes:
            if change.type == "DELETED" and change.object["metadata"]["name"] == "child":
                break

    with pytest.raises(NotFound):
        await place.cluster.get(CONFIG_MAPS, "child", place.namespace)


async def test_what_is_orphaned_stays(place: Place) -> None:
    changes = await _family(place)

    async with asyncio.timeout(60), aclosing(changes):
        await place.cluster.delete(CONFIG_MAPS, "parent", place.namespace, propagation="Orphan")
        async for change in changes:
            if change.type == "MODIFIED" and not change.object["metadata"].get("ownerReferences"):
                break

    assert await place.cluster.get(CONFIG_MAPS, "child", place.namespace)


async def _family(place: Place) -> AsyncGenerator[WatchEvent, None]:
    """Make a parent and a child; returns what happens from then on to children."""
    parent = await place.cluster.create(CONFIG_MAPS, _config_map(place, "parent"))
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "parent",
        "uid": parent["metadata"]["uid"],
    }
    child = _config_map(place, "child", labels={"test": "child"}, ownerReferences=[reference])
    made = await place.cluster.create(CONFIG_MAPS, child)
    changes = place.cluster.watch(
        CONFIG_MAPS,
        place.namespace,
        labels="test=child",
        resource_version=made["metadata"]["resourceVersion"],
    )
    assert isinstance(changes, AsyncGenerator)
    return changes


def _config_map(place: Place, name: str, **metadata: Any) -> Json:
    metadata = {"name": name, "namespace": place.namespace, **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


async def test_string_data_of_a_secret_is_stored_encoded(place: Place) -> None:
    secret: Json = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "vars", "namespace": place.namespace},
        "stringData": {"A": "one", "B": "two"},
    }
    await place.cluster.create(SECRETS, secret)

    changed = await place.cluster.patch(
        SECRETS, "vars", place.namespace, {"stringData": {"A": "three"}}
    )

    assert "stringData" not in changed
    assert changed["data"] == {
        "A": base64.b64encode(b"three").decode(),
        "B": base64.b64encode(b"two").decode(),
    }


async def test_of_two_writers_with_one_version_one_loses(place: Place) -> None:
    lease: Json = {
        "apiVersion": LEASES.api_version,
        "kind": LEASES.kind,
        "metadata": {"name": "lead", "namespace": place.namespace},
        "spec": {"holderIdentity": "a"},
    }
    made = await place.cluster.create(LEASES, lease)
    seen = {"resourceVersion": made["metadata"]["resourceVersion"]}

    await place.cluster.patch(
        LEASES, "lead", place.namespace, {"metadata": seen, "spec": {"holderIdentity": "b"}}
    )
    with pytest.raises(Conflict):
        await place.cluster.patch(
            LEASES, "lead", place.namespace, {"metadata": seen, "spec": {"holderIdentity": "c"}}
        )


async def test_a_caller_is_judged_by_the_own_token_only(place: Place) -> None:
    """Our own certificate, an administrator's, must not speak for the caller."""
    if isinstance(place.cluster, HttpCluster):
        with pytest.raises(Unauthorized):
            await place.cluster.with_token("made-up").list(CONFIG_MAPS, place.namespace)
