"""Conditions: verdicts become trios that no tool misreads, and times that do not jump."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from haikube.model.conditions import (
    Verdict,
    completion,
    find,
    idle,
    observation,
    progressing,
    ready,
    stalled,
    stamp,
    trio,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pairs(verdict: Verdict) -> list[tuple[str, str]]:
    return [(each.type, each.status) for each in trio(verdict)]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (ready("A", "a"), [("Ready", "True")]),
        (progressing("A", "a"), [("Ready", "Unknown"), ("Reconciling", "True")]),
        (stalled("A", "a"), [("Ready", "False"), ("Stalled", "True")]),
        (idle("A", "a"), [("Ready", "False")]),
    ],
)
def test_every_verdict_has_its_trio(verdict: Verdict, expected: list[tuple[str, str]]) -> None:
    assert pairs(verdict) == expected


def test_a_kind_that_ends_says_succeeded_as_well() -> None:
    kinds = [each.type for each in completion(stalled("A", "a"))]

    assert kinds == ["Succeeded", "Ready", "Stalled"]


def test_a_long_message_is_cut() -> None:
    assert len(trio(ready("A", "x" * 9999))[0].message) == 2048


@pytest.mark.parametrize(("holds", "status"), [(True, "True"), (False, "False"), (None, "Unknown")])
def test_details(holds: bool | None, status: str) -> None:  # noqa: FBT001 - a row
    assert observation("SourceReady", holds=holds, reason="A", message="a").status == status


def test_the_time_changes_with_the_status_alone() -> None:
    first = stamp((), trio(ready("A", "a")), 1, NOW)
    later = datetime(2026, 1, 2, tzinfo=UTC)
    same = stamp(first, trio(ready("B", "b")), 2, later)
    other = stamp(first, trio(idle("B", "b")), 2, later)

    assert same[0]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert (same[0]["reason"], same[0]["observedGeneration"]) == ("B", 2)
    assert other[0]["lastTransitionTime"] == "2026-01-02T00:00:00Z"


def test_finding_one() -> None:
    status = {"conditions": stamp((), trio(ready("A", "a")), 1, NOW)}

    assert find(status, "Ready")["reason"] == "A"
    assert find(status, "Stalled") == {}
    assert find({}, "Ready") == {}
