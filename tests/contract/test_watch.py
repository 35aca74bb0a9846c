"""Lists and watches show the same in memory and on a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from contract.widgets import WIDGETS, Place
from haikube.cluster.errors import Expired
from haikube.cluster.port import WatchEvent


async def test_a_list_is_narrowed_by_labels_and_fields(place: Place) -> None:
    for name, color in (("a", "red"), ("b", "blue"), ("c", "red")):
        widget = place.widget(name, shape=name)
        widget["metadata"]["labels"] = {"color": color}
        await place.cluster.create(WIDGETS, widget)

    assert await _names(place) == ["a", "b", "c"]
    assert await _names(place, labels="color=red") == ["a", "c"]
    assert await _names(place, labels="color!=red") == ["b"]
    assert await _names(place, labels="color in (red, blue),color") == ["a", "b", "c"]
    assert await _names(place, labels="color notin (red)") == ["b"]
    assert await _names(place, labels="!color") == []
    assert await _names(place, fields="metadata.name=b") == ["b"]
    assert await _names(place, fields="spec.shape!=b") == ["a", "c"]
    assert await _names(place, labels="color=red", fields="spec.shape=c") == ["c"]


async def _names(place: Place, labels: str = "", fields: str = "") -> list[str]:
    listing = await place.cluster.list(WIDGETS, place.namespace, labels=labels, fields=fields)
    return [item["metadata"]["name"] for item in listing.items]


async def test_a_list_of_metadata_has_no_spec(place: Place) -> None:
    made = await place.cluster.create(WIDGETS, place.widget(size=1))

    listing = await place.cluster.list(WIDGETS, place.namespace, metadata_only=True)

    assert listing.items == (
        {"apiVersion": WIDGETS.api_version, "kind": "Widget", "metadata": made["metadata"]},
    )
    assert int(listing.resource_version) >= int(made["metadata"]["resourceVersion"])


async def test_a_watch_shows_what_happens_after_a_list(place: Place) -> None:
    await place.cluster.create(WIDGETS, place.widget("before", size=1))
    listing = await place.cluster.list(WIDGETS, place.namespace)
    changes = place.cluster.watch(
        WIDGETS, place.namespace, resource_version=listing.resource_version
    )

    await place.cluster.create(WIDGETS, place.widget(size=1))
    await place.cluster.patch(WIDGETS, "one", place.namespace, {"spec": {"size": 2}})
    await place.cluster.delete(WIDGETS, "one", place.namespace)

    assert await _told(changes, 3) == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


async def test_a_watch_without_a_version_begins_with_what_is_there(place: Place) -> None:
    await place.cluster.create(WIDGETS, place.widget("there", size=1))

    changes = place.cluster.watch(WIDGETS, place.namespace)

    assert await _told(changes, 1) == [("ADDED", "there")]


async def test_an_object_that_leaves_a_selector_is_told_as_deleted(place: Place) -> None:
    listing = await place.cluster.list(WIDGETS, place.namespace)
    changes = place.cluster.watch(
        WIDGETS, place.namespace, labels="ours", resource_version=listing.resource_version
    )
    here, gone = {"metadata": {"labels": {"ours": ""}}}, {"metadata": {"labels": {"ours": None}}}

    made = await place.cluster.create(WIDGETS, place.widget(size=1))
    await place.cluster.patch(WIDGETS, "one", place.namespace, here)
    last = await place.cluster.patch(WIDGETS, "one", place.namespace, gone)

    shown = await _events(changes, 2)
    assert [event.type for event in shown] == ["ADDED", "DELETED"]
    versions = [int(event.object["metadata"]["resourceVersion"]) for event in shown]
    assert int(made["metadata"]["resourceVersion"]) < versions[0] < versions[1]
    assert versions[1] == int(last["metadata"]["resourceVersion"])


async def test_a_version_from_long_ago_is_expired(place: Place) -> None:
    await place.cluster.create(WIDGETS, place.widget(size=1))
    await place.cluster.patch(WIDGETS, "one", place.namespace, {"spec": {"size": 2}})
    version = place.forget_history()

    with pytest.raises(Expired):
        await _events(place.cluster.watch(WIDGETS, place.namespace, resource_version=version), 1)


async def _told(changes: AsyncIterator[WatchEvent], count: int) -> list[tuple[str, str]]:
    events = await _events(changes, count)
    return [(event.type, event.object["metadata"]["name"]) for event in events]


async def _events(changes: AsyncIterator[WatchEvent], count: int) -> list[WatchEvent]:
    assert isinstance(changes, AsyncGenerator)
    events: list[WatchEvent] = []
    async with asyncio.timeout(60), aclosing(changes):
        async for event in changes:
            events.append(event)
            if len(events) == count:
                break
    return events
