"""A release command that cannot start: release, App, list and push say why, and it can be ended."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import sample_apps as apps
from haikube.model import labels
from haikube.model.conditions import find
from terminal import Make, Person, Workspace, eventually


@pytest.fixture
def stack(person: Person) -> Iterator[str]:
    """Make a stack that builds, and has nothing to run what was built."""
    found: Any = person.get("stack", "debian-13")
    name = f"ghost-{secrets.token_hex(3)}"
    spec = {**found["spec"], "runImage": "localhost/no-such-image:1"}
    body = {"apiVersion": found["apiVersion"], "kind": "Stack", "metadata": {"name": name}}
    person.kubectl("create", "-f", "-", stdin=json.dumps({**body, "spec": spec}))
    yield name
    person.kubectl("delete", "stack", name, "--wait=false")


def with_command(workspace: Make, name: str, command: str) -> Workspace:
    app = workspace(name)
    apps.plain(app.folder)
    app.write("Procfile", f"web: python app.py\nrelease: {command}\n")
    app.commit("first")
    return app


def status(person: Person, kind: str, name: str) -> dict[str, Any]:
    return (person.get(kind, name) or {}).get("status") or {}


@contextmanager
def cordoned(person: Person) -> Iterator[None]:
    """Let no new pod run anywhere."""
    nodes = json.loads(person.kubectl("get", "nodes", "-o", "json"))["items"]
    names = [each["metadata"]["name"] for each in nodes]
    person.kubectl("cordon", *names)
    try:
        yield
    finally:
        person.kubectl("uncordon", *names)


def test_a_release_command_without_an_image_says_so_and_is_ended(
    workspace: Make, person: Person, stack: str
) -> None:
    app = with_command(workspace, "ghost", "echo migrated")
    patch = json.dumps({"spec": {"stack": stack}})
    person.kubectl("patch", "app", app.app, "--type=merge", "-p", patch)
    push = app.start_push()
    release = f"{app.app}-v2"

    def told() -> bool:
        ready = find(status(person, "release", release), "Ready")
        return bool(ready.get("reason") == "ImagePullFailed")

    def listed(state: str) -> str:
        lines = person.haikube("releases", "list", "-a", app.app).stdout.splitlines()
        return next((each for each in lines if " v2 " in each and state in each), "")

    eventually(told, "the release says that its image is missing")
    assert listed("pending")
    eventually(
        lambda: "cannot be pulled" in json.dumps(status(person, "app", app.app)["conditions"]),
        "the App says why its release waits",
    )
    person.kubectl("annotate", "release", release, f"{labels.STOP}=yes")
    said, _ = push.communicate(timeout=120)
    assert "ImagePullFailed: release.1: the image of the stack cannot be pulled" in said
    assert "Waiting for release.... failed." in said
    assert listed("failed")


@pytest.mark.alone
def test_a_release_command_without_a_node_says_so_and_runs_once_there_is_one(
    workspace: Make, person: Person
) -> None:
    app = with_command(workspace, "unplaced", "false")
    assert "Waiting for release.... failed." in app.push(check=False)
    release = f"{app.app}-v2"

    def reason() -> str:
        return str(find(status(person, "release", release), "Ready").get("reason"))

    with cordoned(person):
        person.kubectl("annotate", "release", release, f"{labels.RETRY}=1")
        eventually(lambda: reason() == "Unschedulable", "the release says that no node takes it")
        eventually(
            lambda: "no node for release.1" in json.dumps(status(person, "app", app.app)),
            "the App says why its release waits",
        )
    eventually(lambda: reason() == "ReleaseCommandFailed", "it has run again")
