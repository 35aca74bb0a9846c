from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from haikube.local.kubectl import told_before, unready_reasons


def pod(**status: object) -> dict[str, Any]:
    return {"metadata": {"name": "api-1"}, "status": status}


def container(**more: object) -> dict[str, Any]:
    return {"name": "api", "ready": False, **more}


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        (pod(containerStatuses=[container(ready=True)]), []),
        (pod(), []),
        (
            pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "no memory"}]),
            ["api-1: no memory"],
        ),
        (
            pod(containerStatuses=[container(state={"waiting": {"reason": "ErrImagePull"}})]),
            ["api-1: api, ErrImagePull"],
        ),
        (
            pod(
                containerStatuses=[
                    container(
                        state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                        lastState={"terminated": {"exitCode": 1}},
                    )
                ]
            ),
            ["api-1: api, CrashLoopBackOff, back-off, ended with 1"],
        ),
        (
            pod(containerStatuses=[container(state={"running": {}})]),
            ["api-1: api, not ready"],
        ),
    ],
)
def test_an_unready_pod_says_why(given: dict[str, Any], reasons: list[str]) -> None:
    assert unready_reasons(given) == reasons


@pytest.mark.parametrize(
    ("states", "stale"),
    [
        ([{"running": {"startedAt": "2026-01-01T00:00:09Z"}}], True),
        ([{"running": {"startedAt": "2026-01-01T00:00:10Z"}}], False),
        ([{"running": {"startedAt": "2026-01-01T00:00:12Z"}}, {"waiting": {}}], False),
        (
            [
                {"running": {"startedAt": "2026-01-01T00:00:12Z"}},
                {"running": {"startedAt": "2026-01-01T00:00:01Z"}},
            ],
            True,
        ),
        ([{"terminated": {"startedAt": "2026-01-01T00:00:01Z"}}], False),
        ([{"waiting": {"reason": "ContainerCreating"}}], False),
        ([], False),
    ],
)
def test_a_pod_that_only_a_killed_node_has_told_of_is_known(
    states: list[dict[str, Any]], *, stale: bool
) -> None:
    given = pod(containerStatuses=[container(state=state) for state in states])

    begun = datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC)
    assert told_before([given], begun) == (["api-1"] if stale else [])
