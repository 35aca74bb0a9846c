"""A release in a namespace that is exactly full: no room beside, so dynos give way one by one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from load import MARK, SERVER, under_load
from terminal import API, KUBECONFIG, Make, Person, Workspace, eventually, log_in, workspaces

pytestmark = pytest.mark.alone

DYNOS = 2
QUOTA = "haikube"
"""What "haikube team create --quota" makes."""


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Person]:
    """Return somebody in a team of their own, whose quota is no other test's."""
    team = f"full-{secrets.token_hex(3)}"
    home = tmp_path / "home"
    home.mkdir()
    config = home / "kubeconfig"
    config.write_text(KUBECONFIG.read_text())
    someone = log_in(home)
    someone = replace(someone, environment={**someone.environment, "KUBECONFIG": str(config)})
    someone.kubectl("config", "set-context", "--current", f"--namespace={team}")
    someone.haikube("team", "create", team, "--quota")
    someone.haikube("login", API, "--namespace", team, "--no-bridge")
    yield someone
    someone.kubectl("delete", "namespace", team, "--wait=false")


@pytest.fixture
def crowded(full: Person, tmp_path: Path) -> Iterator[Make]:
    with workspaces(full, tmp_path) as make:
        yield make


def test_a_release_in_a_full_namespace_replaces_dyno_after_dyno(
    crowded: Make, full: Person
) -> None:
    app = deployed(crowded)
    old = names(app)
    fill(full)

    with under_load(f"{app.app}.localhost", rate=20) as load:
        app.configure({"COLOUR": "green"})
        eventually(lambda: ready(app)["reason"] == "QuotaExceeded", "there is no room beside")
        said = ready(app)["message"]
        assert names(app) == old

        strategy = json.dumps({"spec": {"rollout": {"strategy": "InPlace"}}})
        full.kubectl("patch", "app", app.app, "--type=merge", "-p", strategy)
        eventually(lambda: ready(app)["message"] == f"{DYNOS}/{DYNOS} dynos run v3", "the rollout")

        assert len(names(app)) == DYNOS
        assert not old & names(app)
        assert app.fetch()[1] == f"{MARK}, v3"

    assert "the App's rollout.strategy InPlace replaces dynos without room for more" in said
    assert load.dropped == {}, f"{load.count} requests, {load.when}"


def deployed(make: Make) -> Workspace:
    """Return an app with dynos that answer, and nothing else that has a place."""
    app = make("crowd")
    app.write("requirements.txt", "")
    app.write("app.py", SERVER)
    app.write("Procfile", "web: exec python app.py\n")
    app.commit()
    app.push()
    app.person.kubectl("scale", f"formation/{app.app}-web", f"--replicas={DYNOS}")
    eventually(lambda: ready(app)["message"] == f"{DYNOS}/{DYNOS} dynos run v2", "the dynos")
    eventually(lambda: len(names(app)) == DYNOS, "the end of the build's pod")
    return app


def fill(person: Person) -> None:
    """Let the quota of the team be what it uses, once the pod of the build is out of that."""

    def used() -> dict[str, str] | None:
        found = (person.get("quota", QUOTA) or {})["status"]["used"]
        return dict(found) if int(found["pods"]) == DYNOS else None

    patch = json.dumps({"spec": {"hard": eventually(used, "a count of the dynos alone")}})
    person.kubectl("patch", "quota", QUOTA, "--type=merge", "-p", patch)


def names(app: Workspace) -> set[str]:
    """Return the pods that have a place in the quota."""
    pods = app.person.items("pods", app.app)
    over = {"Succeeded", "Failed"}
    return {pod["metadata"]["name"] for pod in pods if pod["status"]["phase"] not in over}


def ready(app: Workspace) -> dict[str, str]:
    """Return the condition Ready of the web formation."""
    formation = app.person.get("formation", f"{app.app}-web") or {}
    conditions = (formation.get("status") or {}).get("conditions", ())
    found = {each["type"]: each for each in conditions}
    return dict(found.get("Ready") or {"reason": "", "message": ""})
