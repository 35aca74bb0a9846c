"""Builds that go over a limit: stopped in time, named, and the cluster stays well."""

from __future__ import annotations

import json

import pytest

import sample_apps as apps
from terminal import Make, Person, Workspace, eventually

ENDLESS_MEMORY = "node -e 'const a = []; for (;;) a.push(Buffer.alloc(1 << 30, 1))'"


def node_app(app: Workspace, build: str) -> None:
    """Write a Node.js app whose build script is the given command."""
    package = {"name": "limits", "version": "1.0.0", "scripts": {"build": build, "start": "node ."}}
    lock = {"name": "limits", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": package}}
    app.write("package.json", json.dumps(package))
    app.write("package-lock.json", json.dumps(lock))
    app.commit()


@pytest.mark.parametrize(
    ("build", "limit", "reason", "words"),
    [
        ("sleep 300", 10, "BuildTimedOut", "longer than"),
        (ENDLESS_MEMORY, 300, "BuildOutOfMemory", "memory"),
        ("head -c 520000000 /dev/urandom > big", 300, "SlugTooLarge", ".slugignore"),
    ],
    ids=["time", "memory", "slug size"],
)
def test_a_build_over_a_limit_says_which(
    workspace: Make, person: Person, build: str, limit: int, reason: str, words: str
) -> None:
    app = workspace("limits")
    patch = json.dumps({"spec": {"buildTimeoutSeconds": limit}})
    person.kubectl("patch", "app", app.app, "--type=merge", "-p", patch)
    node_app(app, build)

    said = app.push(check=False)

    assert "Push rejected" in said
    assert words in said
    [made] = person.items("builds", app.app)
    assert made["status"]["failure"]["reason"] == reason
    assert made["status"]["result"] == "Failed"


def test_a_web_process_that_does_not_listen_is_told_r10(workspace: Make, person: Person) -> None:
    app = workspace("deaf")
    patch = json.dumps({"spec": {"rollout": {"bootTimeoutSeconds": 3}}})
    person.kubectl("patch", "app", app.app, "--type=merge", "-p", patch)
    apps.plain(app.folder)
    app.write("Procfile", "web: sleep 600\n")
    app.commit()

    said = app.push(check=False)

    assert "Error R10 (Boot timeout)" in said, said
    assert "within 3 seconds of launch" in said

    def reasons() -> set[str]:
        [formation] = person.items("formations", app.app)
        return {each["reason"] for each in formation["status"]["conditions"]}

    eventually(lambda: "BootTimeout" in reasons(), "the formation says so, too")
