"""Which of our fields do we still own? Shapes as real API servers write them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.objects import MANAGER, thing
from haikube.cluster.apply import Manager, apply, managed_fields
from haikube.cluster.port import Json
from haikube.engine.ownership import covers, owned_fields


def entry(**changes: Any) -> Json:
    return {
        "manager": MANAGER,
        "operation": "Apply",
        "fieldsV1": {"f:spec": {"f:a": {}}},
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, '{"f:spec":{"f:a":{}}}'),
        ({"manager": "other"}, ""),
        ({"operation": "Update"}, ""),
        ({"subresource": "status"}, ""),
    ],
)
def test_only_our_own_apply_counts(changes: Json, found: str) -> None:
    obj = thing(metadata={"managedFields": [entry(**changes)]})

    assert owned_fields(obj, MANAGER) == found


_KEY = 'k:{"name":"web"}'


@pytest.mark.parametrize(
    ("fields", "spec", "covered"),
    [
        ({"f:a": {}}, {"a": 1}, True),
        ({"f:a": {}}, {"a": 1, "b": 2}, False),
        ({"f:a": {}}, {"a": {"whole": 1}}, True),
        ({"f:a": {}}, {"a": ["whole"]}, True),
        ({"f:a": {".": {}}}, {"a": {"emptied": 1}}, True),
        ({"f:a": {"f:b": {}}}, {"a": {"b": 1}}, True),
        ({"f:a": {"f:b": {}}}, {"a": {"c": 1}}, False),
        ({"f:a": {"f:b": {}}}, {"a": 1}, False),
        ({"f:a": {_KEY: {".": {}, "f:x": {}}}}, {"a": [{"name": "web", "x": 1}]}, False),
        ({"f:a": {_KEY: {".": {}, "f:name": {}}}}, {"a": [{"name": "web"}]}, True),
        ({"f:a": {_KEY: {".": {}, "f:name": {}}}}, {"a": [{"name": "worker"}]}, False),
        ({"f:a": {'k:{"uid":"u"}': {}}}, {"a": [{"uid": "u", "whole": "item"}]}, True),
        ({"f:a": {'v:"x"': {}, 'v:"y"': {}}}, {"a": ["x", "y"]}, True),
        ({"f:a": {'v:"x"': {}}}, {"a": ["x", "y"]}, False),
        ({}, {"a": None, "b": []}, True),
        (
            {"f:a": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}},
            {"a": [{"port": 80}]},
            True,
        ),
        (
            {"f:a": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}},
            {"a": [{"port": 80, "protocol": "UDP"}]},
            False,
        ),
    ],
)
def test_every_wanted_field_must_be_owned(fields: Json, spec: Json, *, covered: bool) -> None:
    owned = json.dumps({"f:spec": fields})

    assert covers(owned, {"spec": spec}) is covered


def test_the_identity_needs_no_owner_but_labels_do() -> None:
    owned = json.dumps({"f:metadata": {"f:labels": {"f:a": {}}}})
    wanted = thing(metadata={"labels": {"a": "b"}})

    assert covers(owned, wanted)
    assert not covers(owned, thing(metadata={"labels": {"c": "d"}}))


def test_who_owns_nothing_covers_nothing() -> None:
    assert not covers("", {})


_SCALARS = st.one_of(st.integers(), st.booleans(), st.text(max_size=3))
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(spec=st.dictionaries(st.sampled_from("abcd"), _VALUES, min_size=1, max_size=4))
def test_what_was_just_applied_is_covered(spec: Json) -> None:
    wanted = {"metadata": {"name": "x"}, "spec": spec}
    written = apply({"metadata": {}}, {}, Manager(MANAGER, "Apply"), wanted, force=True)
    live = thing(metadata={"managedFields": managed_fields(written.owners, "v1")})

    assert covers(owned_fields(live, MANAGER), wanted)
