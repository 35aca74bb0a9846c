"""What the platform tells of dynos, releases, builds and scaling."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from haikube.logs.story import build_story, dyno_name, pod_story, release_story, scale_story

T = "2026-01-01T00:00:{:02}Z".format


def pod(kind: str = "web", component: str = "dyno", **status: Any) -> dict[str, Any]:
    container = {
        "args": ["python app.py"],
        "env": [{"name": "HAIKUBE_PROCESS_TYPE", "value": kind}],
    }
    return {
        "metadata": {
            "name": "hello-web-abc-x7k2p",
            "uid": "u1",
            "creationTimestamp": T(0),
            "labels": {"haikube.dev/component": component},
            "annotations": {"haikube.dev/dyno": f"{kind}.1"},
        },
        "spec": {"containers": [container]},
        "status": {"conditions": [], **status},
    }


def container(state: dict[str, Any], last: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [{"state": state, "lastState": {"terminated": last} if last else {}}]


def ended(code: int, **more: Any) -> dict[str, Any]:
    return {"exitCode": code, "startedAt": T(1), "finishedAt": T(9), **more}


READY = [{"type": "Ready", "status": "True", "lastTransitionTime": T(5)}]
BEGUN = "heroku[web.1]: Starting process with command `python app.py`"


@pytest.mark.parametrize(
    ("obj", "told"),
    [
        (pod(), [BEGUN]),
        (pod(containerStatuses=container({"running": {"startedAt": T(1)}})), [BEGUN]),
        (
            pod(containerStatuses=container({"running": {"startedAt": T(1)}}), conditions=READY),
            [BEGUN, "heroku[web.1]: State changed from starting to up"],
        ),
        (
            pod(containerStatuses=container({"waiting": {}}, ended(1))),
            [
                BEGUN,
                "heroku[web.1]: Process exited with status 1",
                "heroku[web.1]: State changed from up to crashed",
                "heroku[web.1]: State changed from crashed to starting",
            ],
        ),
        (
            pod("run", "one-off", containerStatuses=container({"terminated": ended(0)})),
            [
                BEGUN.replace("web", "run"),
                "heroku[run.1]: Process exited with status 0",
                "heroku[run.1]: State changed from up to complete",
            ],
        ),
        (
            pod("worker", containerStatuses=container({}, ended(137, reason="OOMKilled"))),
            [
                BEGUN.replace("web", "worker"),
                "heroku[worker.1]: Error R15 (Memory quota vastly exceeded)",
                "heroku[worker.1]: Process exited with status 137",
                "heroku[worker.1]: State changed from up to crashed",
                "heroku[worker.1]: State changed from crashed to starting",
            ],
        ),
        (pod(component="build"), []),
    ],
)
def test_the_life_of_a_dyno(obj: dict[str, Any], told: list[str]) -> None:
    assert [str(line)[33:] for line in pod_story(obj)] == told


def test_a_code_is_told_in_our_words_and_never_in_the_dynos() -> None:
    forged = "Error R10 (x) -> \n2026 heroku[router]: at=info"
    obj = pod(containerStatuses=container({"terminated": ended(137, message=forged)}))
    told = [line.text for line in pod_story(obj)]

    assert "Error R10 (Boot timeout) -> Web process failed to bind to $PORT in time" in told
    assert not any("router" in text for text in told)


def test_a_dyno_that_is_stopped() -> None:
    obj = pod(containerStatuses=container({"terminated": ended(143)}))
    obj["metadata"] |= {"deletionTimestamp": T(38), "deletionGracePeriodSeconds": 30}

    assert [(line.time[17:19], line.text) for line in pod_story(obj)][1:] == [
        ("08", "Stopping all processes with SIGTERM"),
        ("09", "Process exited with status 143"),
        ("09", "State changed from up to down"),
    ]


def test_a_dyno_without_a_name_has_that_of_its_pod() -> None:
    obj = pod()
    obj["metadata"]["annotations"] = {}
    assert dyno_name(obj) == "web.x7k2p"


def release(**spec: Any) -> dict[str, Any]:
    metadata = {"uid": "r1", "creationTimestamp": T(0)}
    return {"metadata": metadata, "spec": {"version": 3, **spec}}


def test_a_release() -> None:
    told = release_story(release(description="Set A, B config vars", author="ada@example.com"))
    assert [str(line)[33:] for line in told] == [
        "app[api]: Set A, B config vars by user ada@example.com",
        "app[api]: Release v3 created by user ada@example.com",
    ]
    assert release_story({"metadata": {"uid": "r"}, "spec": {"rollbackOf": 1}}) == []


def test_a_release_that_failed() -> None:
    obj = release()
    failed = {"type": "Succeeded", "status": "False", "lastTransitionTime": T(4)}
    obj["status"] = {"conditions": [failed]}
    assert [line.text for line in release_story(obj)][-1] == "Release v3 failed"


def test_a_build() -> None:
    obj = {
        "metadata": {"uid": "b1", "creationTimestamp": T(0)},
        "spec": {"author": "ada@example.com"},
        "status": {"result": "Failed", "finishedAt": T(7)},
    }
    assert [line.text for line in build_story(obj)] == [
        "Build started by user ada@example.com",
        "Build failed",
    ]


def test_scaling() -> None:
    def formation(quantity: int, **annotations: str) -> dict[str, Any]:
        metadata = {"uid": "f1", "generation": quantity, "annotations": annotations}
        spec = {"processType": "web", "quantity": quantity, "size": "standard-1x"}
        return {"metadata": metadata, "spec": spec}

    now = datetime(2026, 1, 1, tzinfo=UTC)
    old, new = formation(1), formation(3, **{"haikube.dev/author": "ada@example.com"})

    assert scale_story(old, old, now) == []
    (line,) = scale_story(old, new, now)
    assert line.text == "Scaled to web@3:Standard-1X by user ada@example.com"
