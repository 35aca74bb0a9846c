"""What a silent push is told: the words of the Build, of the cluster, of the App, in that order."""

from __future__ import annotations

from typing import Any

import pytest

from haikube.cluster.errors import Unreachable
from haikube.cluster.fake import FakeCluster
from haikube.logs.obstacle import obstacle
from haikube.model.resources import APPS, BUILDS, EVENTS

Json = dict[str, Any]
QUOTA = 'pods "b-x" is forbidden: exceeded quota: team'
TOLD = "QuotaExceeded: its pod is forbidden: exceeded quota: team"


def ready(reason: str, message: str = "why") -> Json:
    return {"conditions": [{"type": "Ready", "reason": reason, "message": message}]}


def event(message: str, *, kind: str = "Job", sort: str = "Warning", at: str = "1") -> Json:
    return {
        "metadata": {"name": f"e{at}", "namespace": "team"},
        "involvedObject": {"kind": kind, "name": "b"},
        "type": sort,
        "reason": "FailedCreate",
        "message": message,
        "lastTimestamp": at,
    }


def cluster(build: Json, app: Json | None = None, *events: Json) -> FakeCluster:
    made = FakeCluster()
    spec = {"appRef": {"name": "hello"}}
    place = {"namespace": "team"}
    made.seed(BUILDS, {"metadata": {"name": "b", **place}, "spec": spec, "status": build})
    made.seed(APPS, {"metadata": {"name": "hello", **place}, "spec": {}, "status": app or {}})
    for each in events:
        made.seed(EVENTS, each)
    return made


@pytest.mark.parametrize(
    ("build", "app", "events", "told"),
    [
        (ready("QuotaExceeded", "full"), None, [], "QuotaExceeded: full"),
        (ready("WaitingForBuild"), None, [], "WaitingForBuild: why"),
        (ready("Unschedulable") | {"podName": "p"}, None, [], "Unschedulable: why"),
        (ready("BuildStarting"), None, [event(QUOTA)], TOLD),
        (ready("BuildStarting"), None, [event("no"), event("yes", at="2")], "FailedCreate: yes"),
        (ready("BuildStarting"), None, [event("x", kind="Pod"), event("x", sort="Normal")], ""),
        (ready("BuildStarting"), ready("QuotaExceeded"), [], "QuotaExceeded: why"),
        (ready("BuildStarting"), ready("AppCrashed"), [], ""),
        (ready("BuildRunning") | {"podName": "p"}, ready("QuotaExceeded"), [event(QUOTA)], ""),
        (
            ready("BuildSucceeded") | {"podName": "p", "finishedAt": "now"},
            ready("QuotaExceeded"),
            [],
            "QuotaExceeded: why",
        ),
        ({}, None, [], ""),
    ],
)
async def test_who_is_heard(build: Json, app: Json | None, events: list[Json], told: str) -> None:
    assert await obstacle(cluster(build, app, *events), "team", "b") == told


async def test_a_cluster_that_does_not_answer_has_nothing_to_say() -> None:
    made = cluster(ready("QuotaExceeded"))

    async def unreachable(*_: object, **__: object) -> Json:
        raise Unreachable(0, "Unreachable", "no answer")

    made.get = unreachable  # type: ignore[method-assign]
    assert not await obstacle(made, "team", "b")
