"""Waiting for a node, by what a kubectl of the test's own says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from haikube.local import node

BEGUN = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
KUBECTL = """#!/bin/sh
case "$*" in
  *"get pods"*)
    echo asked >>"{folder}/asked"
    cat "{folder}/$(test "$(wc -l <"{folder}/asked")" -lt 5 && echo before || echo after).json" ;;
  *"get node"*) printf True ;;
esac
"""


def listing(started: str) -> str:
    status = {"containerStatuses": [{"state": {"running": {"startedAt": started}}}]}
    return json.dumps({"items": [{"metadata": {"name": "api"}, "status": status}]})


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "kubectl"
    program.write_text(KUBECTL.format(folder=tmp_path))
    program.chmod(0o755)
    (tmp_path / "before.json").write_text(listing("2026-01-01T00:00:00Z"))
    (tmp_path / "after.json").write_text(listing("2026-01-01T00:01:00Z"))
    monkeypatch.setattr(node, "answers", lambda _: True)
    return program


def test_a_node_is_ready_once_its_kubelet_has_looked_at_the_pods_of_before(kubectl: Path) -> None:
    node.wait_ready(kubectl.parent, kubectl, BEGUN, 5)

    asked = (kubectl.parent / "asked").read_text().count("asked")
    assert asked in {5, 6}, "until they had started anew, and no longer"


def test_a_pod_that_nobody_looks_at_keeps_nobody_from_a_cluster(
    kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "_LOOK_SECONDS", 0.2)
    (kubectl.parent / "after.json").write_text(listing("2026-01-01T00:00:00Z"))

    node.wait_ready(kubectl.parent, kubectl, BEGUN, 5)
