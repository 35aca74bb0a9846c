"""Results of builds come from untrusted code."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as b
from haikube.plan.result import Broken, Built, InvalidResult, parse_result

GOOD: dict[str, Any] = {
    "ok": True,
    "slug": {"digest": b.DIGEST, "sizeBytes": 1},
    "processTypes": [{"name": "web", "command": "x"}],
    "buildpacks": ["heroku/python"],
    "language": "Python",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
)


def test_a_good_one() -> None:
    found = parse_result(json.dumps(GOOD))

    assert isinstance(found, Built)
    assert (found.digest, found.size, found.truncated) == (b.DIGEST, 1, False)


def test_a_bad_one_is_cut_to_length() -> None:
    text = json.dumps({"ok": False, "reason": "CompileFailed", "message": "x" * 5000})

    assert parse_result(text) == Broken("CompileFailed", "x" * 1024)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"slug": None}, "digest"),
        ({"slug": {"digest": "sha256:../../etc"}}, "digest"),
        ({"slug": {"digest": b.DIGEST, "sizeBytes": True}}, "size"),
        ({"slug": {"digest": b.DIGEST, "sizeBytes": -1}}, "size"),
        ({"processTypes": {}}, None),
        ({"processTypes": {"web": "x"}}, "process types"),
        ({"processTypes": [{"name": "a b", "command": "x"}]}, "'a b'"),
        ({"processTypes": ["web"]}, "named"),
        ({"processTypes": [{"name": "web", "command": ""}]}, "command"),
        ({"processTypes": [{"name": f"t{n}", "command": "x"} for n in range(300)]}, "256"),
        ({"buildpacks": [1]}, "buildpacks"),
        ({"ok": False, "reason": "MadeUp", "message": "x"}, "MadeUp"),
    ],
)
def test_whatever_is_wrong_is_said(changes: dict[str, Any], text: str | None) -> None:
    written = json.dumps({**GOOD, **changes})
    if text is None:
        assert isinstance(parse_result(written), Built)
        return
    with pytest.raises(InvalidResult, match=text):
        parse_result(written)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "[" * 100_000])
def test_what_is_no_json_object(text: str) -> None:
    with pytest.raises(InvalidResult):
        parse_result(text)


@given(JSON, st.sampled_from(["slug", "processTypes", "buildpacks", "language", "ok", "reason"]))
def test_nothing_but_invalid_result_is_ever_raised(value: object, field: str) -> None:
    with contextlib.suppress(InvalidResult):
        parse_result(json.dumps({**GOOD, field: value}))
