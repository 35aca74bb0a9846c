"""The store: whatever the order of the news, the same picture; and no noise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.objects import MANAGER, PARTS, THINGS, thing
from haikube.cluster.port import Json, Listing
from haikube.engine import kept
from haikube.engine.change import Change, only_status
from haikube.engine.kept import Index
from haikube.engine.packed import Packer
from haikube.engine.store import EventType, Store


def by_label(label: str) -> Index:
    def index(obj: Mapping[str, Any]) -> Iterable[str]:
        value = obj["metadata"].get("labels", {}).get(label)
        return () if value is None else (value,)

    return index


def listing(*items: Json, version: int) -> Listing:
    return Listing(items, str(version))


def test_news_of_an_object_are_changes() -> None:
    store = Store(MANAGER)
    first, second = thing(version=1, spec={"a": 1}), thing(version=2, spec={"a": 2})

    assert store.put(THINGS, "ADDED", first) == Change(THINGS, None, first)
    assert store.put(THINGS, "MODIFIED", second) == Change(THINGS, first, second)
    assert store.get(THINGS, "ns", "one") == second
    assert store.put(THINGS, "DELETED", second) == Change(THINGS, second, None)
    assert store.get(THINGS, "ns", "one") is None


def test_a_change_shows_the_newest_object_known() -> None:
    old, new = thing(version=1), thing(version=2)

    assert Change(THINGS, old, new).object is new
    assert Change(THINGS, old, None).object is old


@pytest.mark.parametrize("version", [1, 2])
def test_old_news_are_no_news(version: int) -> None:
    store = Store(MANAGER)
    store.put(THINGS, "ADDED", thing(version=2, spec={"a": 2}))

    assert store.put(THINGS, "MODIFIED", thing(version=version, spec={"a": 9})) is None
    assert store.get(THINGS, "ns", "one") == thing(version=2, spec={"a": 2})


def test_versions_are_compared_as_numbers() -> None:
    store = Store(MANAGER)
    store.put(THINGS, "ADDED", thing(version=9, spec={"a": 1}))

    assert store.put(THINGS, "MODIFIED", thing(version=10, spec={"a": 2}))


def test_only_what_is_kept_can_change() -> None:
    store = Store(MANAGER, prune={THINGS: _without_noise})
    store.put(THINGS, "ADDED", thing(version=1, spec={}, status={"beat": 1}))

    assert store.put(THINGS, "MODIFIED", thing(version=2, spec={}, status={"beat": 2})) is None
    kept = store.get(THINGS, "ns", "one")
    assert kept is not None
    assert kept["metadata"]["resourceVersion"] == "2"
    assert "status" not in kept


def _without_noise(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key != "status"}


def test_managed_fields_and_the_copy_of_kubectl_are_not_kept() -> None:
    store = Store(MANAGER)
    copy = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "mine": "x"}
    raw = thing(metadata={"annotations": copy, "managedFields": [{"manager": "kubectl"}]})

    store.put(THINGS, "ADDED", raw)

    assert store.get(THINGS, "ns", "one") == thing(metadata={"annotations": {"mine": "x"}})
    assert "managedFields" in raw["metadata"]


def test_losing_a_field_to_somebody_else_is_a_change() -> None:
    store = Store(MANAGER)
    ours = {"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {"f:a": {}}}}
    store.put(THINGS, "ADDED", thing(version=1, metadata={"managedFields": [ours]}))
    assert store.owned(THINGS, "ns", "one") == '{"f:spec":{"f:a":{}}}'

    assert store.put(THINGS, "MODIFIED", thing(version=2))
    assert store.owned(THINGS, "ns", "one") == ""
    assert store.owned(THINGS, "ns", "nobody") == ""


def test_what_was_deleted_does_not_come_back() -> None:
    store = Store(MANAGER)
    store.put(THINGS, "DELETED", thing(version=5))

    assert store.put(THINGS, "MODIFIED", thing(version=4)) is None
    assert store.count(THINGS) == 0


def test_a_new_object_under_an_old_name_replaces_it() -> None:
    store = Store(MANAGER)
    old, new = thing(uid="u1", version=3), thing(uid="u2", version=7)
    store.put(THINGS, "ADDED", old)
    store.put(THINGS, "ADDED", new)

    assert store.put(THINGS, "DELETED", thing(uid="u1", version=5)) is None
    assert store.get(THINGS, "ns", "one") == new


def test_objects_of_a_kind_are_found_by_an_index() -> None:
    store = Store(MANAGER, indexes={"app": ((PARTS, THINGS), by_label("app"))})
    for name, app in (("b", "x"), ("a", "x"), ("c", "y")):
        metadata = {"labels": {"app": app}}
        store.put(PARTS, None, thing(name, uid=name, resource=PARTS, metadata=metadata))

    assert _names(store.find(PARTS, "app", "x")) == ["a", "b"]
    assert store.find(THINGS, "app", "x") == []


def test_an_index_follows_the_object() -> None:
    store = Store(MANAGER, indexes={"app": ((PARTS, THINGS), by_label("app"))})
    for version, labels in ((1, {"app": "x"}), (2, {"app": "y"}), (3, {})):
        store.put(THINGS, None, thing(version=version, metadata={"labels": labels}))
        found = {app: len(store.find(THINGS, "app", app)) for app in "xy"}
        assert found == {app: int(labels.get("app") == app) for app in "xy"}


def _names(objects: list[Any]) -> list[str]:
    return [obj["metadata"]["name"] for obj in objects]


def test_objects_are_listed_by_namespace() -> None:
    store = Store(MANAGER)
    store.put(THINGS, None, thing("a", uid="a"))
    store.put(THINGS, None, thing("b", uid="b", metadata={"namespace": "other"}))

    assert _names(store.list(THINGS)) == ["a", "b"]
    assert _names(store.list(THINGS, "other")) == ["b"]
    assert store.list(PARTS) == []


def test_a_cluster_scoped_object_has_no_namespace() -> None:
    store = Store(MANAGER)
    wide = thing("wide")
    del wide["metadata"]["namespace"]
    store.put(THINGS, None, wide)

    assert store.get(THINGS, None, "wide") == wide
    assert store.get(THINGS, "", "wide") == wide


def test_a_complete_list_shows_what_was_deleted_unnoticed() -> None:
    store = Store(MANAGER)
    gone, same, newer = (thing(name, uid=name, version=2) for name in ("gone", "same", "newer"))
    for obj in (gone, same, newer):
        store.put(THINGS, None, obj)
    changed = thing("newer", uid="newer", version=5, spec={"a": 1})

    changes = store.replace(THINGS, listing(same, changed, version=6))

    assert changes == [Change(THINGS, gone, None), Change(THINGS, newer, changed)]
    assert store.put(THINGS, "MODIFIED", thing("gone", uid="gone", version=3)) is None


def test_an_object_younger_than_the_list_stays() -> None:
    store = Store(MANAGER)
    store.put(THINGS, None, thing("young", version=9))

    assert store.replace(THINGS, listing(version=6)) == []
    assert store.count(THINGS) == 1


def test_a_list_of_metadata_names_what_must_be_read_again() -> None:
    store = Store(MANAGER)
    reborn = thing("reborn", uid="old", version=1)
    for obj in (reborn, thing("same", uid="s", version=2), thing("changed", uid="c", version=2)):
        store.put(THINGS, None, obj)

    gap = store.diff(
        THINGS,
        listing(
            thing("reborn", uid="new", version=4),
            thing("same", uid="s", version=2),
            thing("changed", uid="c", version=5),
            thing("unknown", uid="u", version=3),
            version=6,
        ),
    )

    assert gap.deleted == (Change(THINGS, reborn, None),)
    assert gap.outdated == (("ns", "reborn"), ("ns", "changed"), ("ns", "unknown"))


def test_an_object_deleted_by_us_is_forgotten_but_may_still_be_seen_dying() -> None:
    store = Store(MANAGER)
    store.put(THINGS, None, thing(version=1))
    store.forget(THINGS, "ns", "one", "another uid")
    assert store.count(THINGS) == 1

    store.forget(THINGS, "ns", "one", "u1")

    assert store.count(THINGS) == 0
    assert store.put(THINGS, "MODIFIED", thing(version=2, metadata={"deletionTimestamp": "x"}))


# One object after another under one name: made, changed, deleted, made anew...
_LIVES = st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=4)


@given(lives=_LIVES, ends=st.booleans(), data=st.data())
def test_any_order_of_events_leads_to_the_same_picture(
    lives: list[int], *, ends: bool, data: st.DataObject
) -> None:
    events: list[tuple[Any, Json]] = []
    version = 0
    for number, changes in enumerate(lives):
        uid = f"u{number}"
        for change in range(changes):
            version += 1
            labels = {"app": f"app-{version % 2}"}
            obj = thing(uid=uid, version=version, metadata={"labels": labels})
            events.append(("MODIFIED" if change else "ADDED", obj))
        if ends or number + 1 < len(lives):
            version += 1
            events.append(("DELETED", thing(uid=uid, version=version)))

    pictures = []
    for order in (events, data.draw(st.permutations(events))):
        store = Store(MANAGER, indexes={"app": ((PARTS, THINGS), by_label("app"))})
        for kind, obj in order:
            store.put(THINGS, kind, obj)
        found = [store.find(THINGS, "app", f"ns/app-{n}") for n in range(2)]
        pictures.append((store.list(THINGS), found))

    assert pictures[0] == pictures[1]
    assert len(pictures[0][0]) == int(not ends)


_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.lists(_JSON, min_size=1))
def test_what_is_packed_comes_back(contents: list[Any]) -> None:
    packer = Packer()
    packed = [packer.pack(THINGS, each) for each in contents]

    assert [packer.unpack(THINGS, each) for each in packed] == contents


def test_objects_of_a_kind_take_few_bytes() -> None:
    packer = Packer()
    conditions = [{"type": each, "status": "True", "message": "all is well"} for each in "abc"]
    objects = [
        thing(f"thing-{number}", uid=f"uid-{number}", status={"conditions": conditions})
        for number in range(9)
    ]
    sizes = [len(packer.pack(THINGS, each)) for each in objects]

    assert max(sizes) < len(json.dumps(objects[0])) / 4


def test_what_is_not_at_hand_is_the_same_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "AT_HAND", 2)
    parses: list[str] = []

    def parse(obj: Mapping[str, Any]) -> str:
        parses.append(obj["metadata"]["name"])
        return str(obj["spec"]["a"])

    read = {THINGS: parse, PARTS: parse}
    store = Store(
        MANAGER, parse=read, indexes={"app": ((PARTS, THINGS), by_label("app"))}, parsed=[PARTS]
    )
    ours = {"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {"f:a": {}}}}
    marks = {"labels": {"app": "x"}, "managedFields": [ours]}
    for name in "abcd":
        for kind in (THINGS, PARTS):
            made = thing(name, uid=f"{kind}{name}", resource=kind, metadata=marks, spec={"a": name})
            store.put(kind, None, made)

    assert parses == list("abcd")
    assert store.values(PARTS, "app", "x") == tuple("abcd")
    assert store.values(THINGS, "app", "x") == tuple("abcd")
    assert store.owned(THINGS, "ns", "a") == '{"f:spec":{"f:a":{}}}'
    again = thing("a", uid=f"{THINGS}a", version=2, metadata=marks, spec={"a": "a"})
    assert store.put(THINGS, "MODIFIED", again) is None
    assert store.uids(PARTS) == {f"{PARTS}{name}": ("ns", name) for name in "abcd"}
    assert store.places(PARTS, "app") == {"x"}
    assert store.number(THINGS, "app", "x") == 4


@pytest.mark.parametrize(
    ("change", "expected"), [({"status": {"ready": 1}}, True), ({"spec": {"a": 2}}, False)]
)
def test_what_a_watch_tells_while_we_write_is_no_news_if_it_is_what_we_write(
    change: Json, *, expected: bool
) -> None:
    store, heard = Store(MANAGER), list[bool]()
    store.put(THINGS, "ADDED", thing(version=1, spec={"a": 1}))
    store.listener = lambda _, was_expected: heard.append(was_expected)
    with store.awaiting(THINGS, "ns", "one", only_status):
        store.put(THINGS, "MODIFIED", {**thing(version=2, spec={"a": 1}), **change})
    store.put(THINGS, "MODIFIED", thing(version=3, spec={"a": 3}))

    assert heard == [expected, False]


def test_a_group_that_was_asked_for_follows_every_change() -> None:
    def read(obj: Mapping[str, Any]) -> str:
        return f"{obj['metadata']['name']}@{obj['metadata']['resourceVersion']}"

    store = Store(MANAGER, parse={THINGS: read}, indexes={"app": ((THINGS,), by_label("app"))})

    def told(name: str, version: int, app: str, event: EventType = "MODIFIED") -> str:
        metadata = {"labels": {"app": app}}
        store.put(THINGS, event, thing(name, uid=name, version=version, metadata=metadata))
        return " ".join(f"{each}:{','.join(store.values(THINGS, 'app', each))}" for each in "xy")

    assert told("a", 1, "x") == "x:a@1 y:"
    assert told("a", 2, "x") == "x:a@2 y:"
    assert told("b", 3, "x") == "x:a@2,b@3 y:"
    assert told("a", 4, "y") == "x:b@3 y:a@4"
    assert told("b", 5, "x", "DELETED") == "x: y:a@4"


def test_a_long_group_is_read_anew_each_time() -> None:
    store = Store(MANAGER, indexes={"app": ((THINGS,), by_label("app"))})
    for number in range(20):
        metadata = {"labels": {"app": "x" if number else "y"}}
        store.put(THINGS, None, thing(f"t{number}", uid=f"t{number}", metadata=metadata))

    few, many = ([store.values(THINGS, "app", app) for _ in range(2)] for app in "yx")
    assert few[0] is few[1]
    assert many[0] is not many[1]
    assert many[0] == many[1]
