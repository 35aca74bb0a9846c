from __future__ import annotations

from typing import Any

import pytest

from haikube.local.kubectl import unready_reasons


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
