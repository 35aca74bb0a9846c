"""What the platform takes of the machine, read from what it says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from haikube.local.command import LocalError
from haikube.local.figures import figures, platform_figures
from haikube.local.kubectl import Kubectl

METRICS = (
    "# TYPE x gauge\nprocess_resident_memory_bytes 9.4371e+07\nprocess_cpu_seconds_total 3.25\n"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (METRICS, "94 MB, 3.2 s of CPU"),
        ("", "gives no metrics"),
        ("process_cpu_seconds_total 1.0", "gives no metrics"),
    ],
)
def test_figures_of_a_process(text: str, shown: str) -> None:
    assert figures(text) == shown


def test_every_part_is_asked_and_one_that_does_not_answer_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pods = [
        {
            "metadata": {
                "name": f"{name}-1",
                "namespace": "haikube-system",
                "labels": {"app.kubernetes.io/name": name},
            }
        }
        for name in ("haikube-api", "haikube-operator")
    ]

    def answer(_: Kubectl, *words: str) -> str:
        if words[1] == "pods":
            return json.dumps({"items": pods})
        if ":9090/proxy" in words[-1]:
            raise LocalError("no route to it")
        return METRICS

    monkeypatch.setattr(Kubectl, "__call__", answer)

    assert list(platform_figures(Kubectl(Path("kubectl"), Path("config")))) == [
        ("haikube-api-1", "94 MB, 3.2 s of CPU"),
        ("haikube-operator-1", "gives no metrics"),
    ]
