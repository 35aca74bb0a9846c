"""Pull the plug at the worst moment: afterwards the platform is where it would have been."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sample_apps as apps
from fileserver import file_server
from terminal import Make, Person, Workspace, eventually

SYSTEM = ("-n", "haikube-system")
GATED = """#!/bin/sh
echo compiling for long
until curl --silent --fail {url}/open; do sleep 0.2; done
"""
"""A build that is at work until somebody lets it go on."""


@pytest.mark.alone
def test_a_killed_operator_goes_on_where_it_was(workspace: Make, person: Person) -> None:
    app = workspace("killed")
    apps.plain(app.folder)
    app.commit()
    push = app.begin_push()
    person.kubectl(
        "delete", "pod", *SYSTEM, "-l", "app.kubernetes.io/component=operator",
        "--grace-period=0", "--force", "--wait=false",
    )  # fmt: skip
    said, _ = push.communicate(timeout=300)

    assert push.returncode == 0, said
    assert "Released v2" in said
    eventually(lambda: app.answers("hello web.1"), "200")
    assert len(person.items("builds", app.app)) == 1
    assert len(person.items("releases", app.app)) == 2, "the first one, and the deploy"


def test_a_lost_connection_does_not_stop_the_build(workspace: Make, person: Person) -> None:
    app = workspace("lost")
    apps.plain(app.folder)
    app.commit()
    push = app.begin_push()
    push.kill()
    push.communicate()

    eventually(lambda: app.answers("hello web.1"), "200 without the pusher")
    log = person.haikube("builds", "logs", "--app", app.app).stdout
    assert "Python app detected" in log
    eventually(lambda: _up_to_date(app), "the branch has moved")


def test_a_lost_build_pod_is_replaced_and_the_push_goes_on(
    workspace: Make, person: Person, tmp_path: Path
) -> None:
    app = workspace("replaced")
    apps.plain(app.folder)
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "open").write_text("gone on\n")
    with file_server(person) as gate:
        app.write("bin/post_compile", GATED.format(url=gate.url))
        app.commit()
        push = app.begin_push()
        eventually(lambda: app.build_says("compiling for long"), "the build at work")
        person.kubectl("delete", "pod", "-l", f"haikube.dev/app={app.app},haikube.dev/build")
        gate.fill(tmp_path / "gate")
        said, _ = push.communicate(timeout=300)

    assert push.returncode == 0, said
    lost, _, replaced = said.partition("Interrupted: another pod starts anew.")
    assert "compiling for long" in lost
    assert "Push failed" not in lost
    assert "Python app detected" in replaced
    assert "Released v2" in replaced
    eventually(lambda: app.answers("hello web.1"), "200")


def _up_to_date(app: Workspace) -> str | None:
    said = app.push(check=False)
    return said if "up-to-date" in said else None


def reach_storage(person: Person, nobody: str) -> None:
    """Let the storage's Service select its pod (``null``), or a pod that there is not."""
    selector = f'{{"spec":{{"selector":{{"haikube.dev/nobody":{nobody}}}}}}}'
    person.kubectl(*SYSTEM, "patch", "service", "haikube-storage", "-p", selector)


_REACH = """
import socket
socket.create_connection(("haikube-storage", 8333), 2).close()
print("reached")
"""


def is_reached(person: Person) -> bool:
    """Tell whether a pod reaches the storage: a node learns of a changed Service a little later."""
    pod = ("deployment/haikube-operator", "--", "python3", "-c", _REACH)
    return "reached" in person.kubectl(*SYSTEM, "exec", *pod, check=False).splitlines()


def storage_pods(person: Person) -> set[str]:
    label = "app.kubernetes.io/name=haikube-storage"
    return set(person.kubectl(*SYSTEM, "get", "pods", "-l", label, "-o", "name").split())


@pytest.fixture
def storage_down(person: Person) -> Iterator[Callable[[], None]]:
    """Take the storage off the network by its Service; its bytes stay where they are."""

    def down() -> None:
        reach_storage(person, '"here"')
        eventually(lambda: not is_reached(person), "the storage out of reach")

    yield down
    reach_storage(person, "null")
    eventually(lambda: is_reached(person), "the storage in reach again")


@pytest.mark.alone
def test_storage_down_refuses_a_push_clearly_and_leaves_dynos_alone(
    workspace: Make, storage_down: Callable[[], None]
) -> None:
    app = workspace("nostore")
    apps.plain(app.folder)
    app.commit()
    app.push()
    eventually(lambda: app.answers("hello web.1"), "200")

    storage_down()
    app.git("commit", "-q", "--allow-empty", "-m", "second")
    said = app.push(check=False)
    assert "storage" in said.lower(), said
    assert "Traceback" not in said
    assert app.answers("hello web.1")


@pytest.mark.alone
def test_storage_down_while_a_dyno_starts_heals_by_itself(
    workspace: Make, person: Person, storage_down: Callable[[], None]
) -> None:
    app = workspace("nofetch")
    apps.plain(app.folder)
    app.commit()
    app.push()
    eventually(lambda: app.answers("hello web.1"), "200")

    storage_down()
    person.kubectl("scale", f"formation/{app.app}-web", "--replicas=2")
    complaint = "could not be fetched from the object storage"
    eventually(lambda: complaint in _log(person, app, "web.2"), "the new dyno's complaint")
    assert app.answers("hello web.1")

    reach_storage(person, "null")
    eventually(lambda: app.answers("hello web.2"), "the second dyno answers", 240)


@pytest.mark.alone
def test_a_killed_storage_whose_pod_is_replaced_has_lost_nothing(
    workspace: Make, person: Person, tmp_path: Path
) -> None:
    app = workspace("kept")
    apps.plain(app.folder)
    app.commit()
    app.push()
    killed = storage_pods(person)
    person.kubectl("delete", *SYSTEM, *killed, "--grace-period=0", "--force")
    eventually(lambda: not killed & storage_pods(person), "the pod is gone")
    person.kubectl(*SYSTEM, "rollout", "status", "deployment/haikube-storage", "--timeout=180s")
    eventually(lambda: storage_pods(person) and is_reached(person), "the storage in reach again")

    app.git(
        "clone", "-q", app.git("remote", "get-url", "heroku").stdout.strip(), str(tmp_path / "c")
    )
    assert (tmp_path / "c" / "app.py").exists()
    person.kubectl("scale", f"formation/{app.app}-web", "--replicas=2")
    eventually(lambda: app.answers("hello web.2"), "a dyno that fetches the slug")


def _log(person: Person, app: Workspace, dyno: str) -> str:
    """Return the log of a dyno, empty while it has none."""
    for pod in person.items("pods", app.app):
        if pod["metadata"].get("annotations", {}).get("haikube.dev/dyno") == dyno:
            return person.kubectl("logs", pod["metadata"]["name"], check=False)
    return ""


@pytest.mark.alone
def test_the_bytes_of_a_deleted_app_go_when_their_days_are_over(
    workspace: Make, person: Person
) -> None:
    app = workspace("swept")
    apps.plain(app.folder)
    app.commit()
    app.push()
    uid = (person.get("app", app.app) or {})["metadata"]["uid"]
    assert _stored(person, uid)

    person.kubectl("delete", "app", app.app)

    eventually(lambda: uid in _sweep(person, "--dry-run"), "the sweep knows the app as gone")
    assert _stored(person, uid), "its days are not over"
    eventually(lambda: _is_swept(person, uid), "every key of the app is gone")


def _sweep(person: Person, *options: str, **setting: str) -> str:
    settings = (f"HAIKUBE_{name}={value}" for name, value in setting.items())
    command = ("env", *settings, "python3", "-m", "haikube.operator", "sweep", *options)
    return person.kubectl(*SYSTEM, "exec", "deployment/haikube-operator", "--", *command)


def _is_swept(person: Person, uid: str) -> bool:
    """Sweep as if the days of all deleted apps were over, and look."""
    _sweep(person, SWEEP_APP_GRACE="0", SWEEP_SHARE="100")
    return not _stored(person, uid)


_LIST = """
import asyncio, os, sys
from haikube.model.names import STORAGE_AREAS
from haikube.settings import Settings
from haikube.storage.s3 import S3Storage

async def main():
    storage = S3Storage(Settings())
    for area in STORAGE_AREAS:
        async for stored in storage.list(f"{area}/{sys.argv[1]}/"):
            print(stored.key)

asyncio.run(main())
sys.stdout.flush()
os._exit(0)  # the storage library has threads that a finalizing interpreter aborts on
"""


def _stored(person: Person, uid: str) -> list[str]:
    """Return the storage keys of an app, read with the operator's own settings."""
    pod = ("deployment/haikube-operator", "--", "python3", "-c", _LIST, uid)
    return person.kubectl(*SYSTEM, "exec", *pod).split()
