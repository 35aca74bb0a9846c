"""The main job: push, slug, release, web dyno, 200; then what a person does next."""

from __future__ import annotations

from typing import Any

import sample_apps as apps
from terminal import Make, Person, eventually


def condition(obj: dict[str, Any], kind: str) -> dict[str, Any]:
    found = [c for c in obj["status"]["conditions"] if c["type"] == kind]
    return found[0] if found else {}


def test_a_django_app_from_push_to_scale_to_failure_to_deletion(
    workspace: Make, person: Person
) -> None:
    app = workspace("django")
    apps.django(app.folder)
    app.commit("first")

    said = app.push("main")
    assert "Python app detected" in said
    assert "collectstatic" in said
    assert "Released v2" in said
    assert app.url in said
    eventually(lambda: app.answers("It works web.1"), "the first 200")

    person.kubectl("wait", "--for=condition=Ready", f"app/{app.app}", "--timeout=180s")
    assert app.app in person.kubectl("get", "apps")
    assert "KIND:" in person.kubectl("explain", "app.spec")
    formation = person.get("formation", f"{app.app}-queue")
    assert formation is not None
    assert formation["spec"]["quantity"] == 0

    # Scaling with kubectl names the dynos, and a later release keeps the number.
    person.kubectl("scale", f"formation/{app.app}-web", "--replicas=3")
    eventually(lambda: _dynos(person, app.app) == {"web.1", "web.2", "web.3"}, "three dynos")

    # A config change is a release of the same slug.
    app.configure({"GREETING": "bonjour"})
    eventually(lambda: person.get("release", f"{app.app}-v3"), "the release of the config change")
    eventually(lambda: app.answers("bonjour"), "the new config in a dyno")
    eventually(lambda: _dynos(person, app.app) == {"web.1", "web.2", "web.3"}, "still three")

    # A dependency that does not exist: refused, and the old release goes on serving.
    app.write("requirements.txt", "django~=5.2.0\nno-such-distribution-haikube==9\n")
    app.commit("broken")
    refused = app.push("main", check=False)
    assert "no-such-distribution-haikube" in refused
    assert "Push rejected" in refused
    assert app.answers("bonjour")

    def told() -> bool:
        found = person.get("app", app.app) or {}
        return condition(found, "BuildSucceeded")["status"] == "False"

    eventually(told, "the App says that the build failed")
    assert condition(person.get("app", app.app) or {}, "Ready")["status"] == "True"

    # Deleting the app leaves nothing.
    person.kubectl("delete", "app", app.app, "--wait=true")
    eventually(app.is_gone, "everything of the app gone")


def test_an_express_app_on_the_master_branch_and_a_cached_second_push(workspace: Make) -> None:
    app = workspace("express")
    apps.express(app.folder)
    app.commit("generated")

    said = app.push("main:master")
    assert "Node.js app detected" in said
    eventually(lambda: app.answers("Welcome to Express"), "the first 200")

    app.git("commit", "-q", "--allow-empty", "-m", "nothing changed")
    said = app.push("main:master")
    assert "Released v3" in said
    assert "cache" in said.lower()


def _dynos(person: Person, app: str) -> set[str]:
    pods = person.items("pods", app)
    return {
        pod["metadata"].get("annotations", {}).get("haikube.dev/dyno", "?")
        for pod in pods
        if pod["metadata"].get("labels", {}).get("haikube.dev/process-type") == "web"
        and not pod["metadata"].get("deletionTimestamp")
        and any(
            c["type"] == "Ready" and c["status"] == "True"
            for c in pod["status"].get("conditions", [])
        )
    }
