"""The kernel's pure parts: pages, limits, ids, rights."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikube.api.kernel.identity import made_id
from haikube.api.kernel.limits import FailureLimit
from haikube.api.kernel.problems import Problem
from haikube.api.kernel.ranges import Range, cut, parse
from haikube.api.kernel.rights import Right, _allows
from haikube.model.resources import APPS, SECRETS


@given(
    st.lists(st.integers(0, 10_000), unique=True),
    st.integers(1, 7),
    st.sampled_from(["", ", order=desc"]),
)
def test_pages_hold_everything_once_and_in_order(
    versions: list[int], most: int, order: str
) -> None:
    items = [{"version": version} for version in versions]
    header = f"version ..; max={most}{order}"
    seen: list[int] = []
    while header:
        page = cut(items, parse(header))
        seen += [item["version"] for item in page.items]
        header = page.next
    assert seen == sorted(versions, reverse=bool(order))


def test_a_list_by_a_field_that_is_not_there_comes_by_id() -> None:
    items = [{"id": "b"}, {"id": "a"}]
    assert cut(items, parse("domain ..;")).items == [{"id": "a"}, {"id": "b"}]
    with pytest.raises(Problem, match="cannot be sorted by domain"):
        cut(items, parse("domain a.."))


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("version ..; max=15, order=desc", Range("version", most=15, descending=True)),
        ("version ..; order=desc,max=1", Range("version", most=1, descending=True)),
        ("id ..; max=1000;", Range("id")),
        ("id ]abc..; max=3", Range("id", "abc", after=True, most=3)),
        ("created_at a..b", Range("created_at", "a", end="b")),
        ("", None),
    ],
)
def test_every_spelling_of_clients_is_understood(header: str, wanted: Range | None) -> None:
    assert parse(header) == wanted


@pytest.mark.parametrize("header", ["x", "id ..; max=0", "id ..; max=1001", "id ..; most=3"])
def test_what_is_no_range_is_a_416(header: str) -> None:
    with pytest.raises(Problem) as refused:
        parse(header)
    assert refused.value.status == 416


def test_an_address_with_many_failures_waits_a_minute() -> None:
    now = 0.0
    limit = FailureLimit(lambda: now)
    for _ in range(60):
        limit.check("a")
        limit.failed("a")
    limit.check("b")
    with pytest.raises(Problem) as refused:
        limit.check("a")
    assert refused.value.status == 429
    now = 61.0
    limit.check("a")


def test_made_ids_are_stable_and_apart() -> None:
    assert made_id("a", "b") == made_id("a", "b")
    assert len({made_id("a", "b"), made_id("b", "a"), made_id("a", "b/c")}) == 3


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({"verbs": ["get"], "apiGroups": ["haikube.dev"], "resources": ["apps"]}, True),
        ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, True),
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["apps"]}, False),
        ({"verbs": ["list"], "apiGroups": ["*"], "resources": ["apps"]}, False),
        (
            {
                "verbs": ["get"],
                "apiGroups": ["*"],
                "resources": ["apps"],
                "resourceNames": ["mine"],
            },
            False,
        ),
        ({}, False),
    ],
)
def test_a_rule_allows_what_it_names(rule: dict[str, Any], allowed: object) -> None:
    assert _allows(rule, Right("get", APPS)) is allowed
    assert not _allows({"verbs": ["get"]}, Right("get", SECRETS))
