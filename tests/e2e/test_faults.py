"""Pull the plug at the worst moment: afterwards the platform is where it would have been."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

import sample_apps as apps
from terminal import Person, Workspace, eventually

Make = Callable[[str], Workspace]
SYSTEM = ("-n", "haikube-system")


def begin_push(app: Workspace) -> subprocess.Popen[str]:
    """Push in the background and return once the cluster knows of the build."""
    push = subprocess.Popen(
        ["git", "push", "heroku", "main"],
        cwd=app.folder,
        env=app.person.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    eventually(lambda: app.person.items("builds", app.app), "the build object")
    return push


def test_a_killed_operator_goes_on_where_it_was(workspace: Make, person: Person) -> None:
    app = workspace("killed")
    apps.plain(app.folder)
    app.commit()
    push = begin_push(app)
    person.kubectl(
        "delete", "pod", *SYSTEM, "-l", "app.kubernetes.io/component=operator",
        "--grace-period=0", "--force", "--wait=false",
    )  # fmt: skip
    said, _ = push.communicate(timeout=300)

    assert push.returncode == 0, said
    assert "Released v1" in said
    eventually(lambda: app.answers("hello web.1"), "200")
    assert len(person.items("builds", app.app)) == 1
    assert len(person.items("releases", app.app)) == 1


def test_a_lost_connection_does_not_stop_the_build(workspace: Make, person: Person) -> None:
    app = workspace("lost")
    apps.plain(app.folder)
    app.commit()
    push = begin_push(app)
    push.kill()
    push.communicate()

    eventually(lambda: app.answers("hello web.1"), "200 without the pusher")
    log = person.haikube("builds", "logs", "--app", app.app).stdout
    assert "Python app detected" in log
    eventually(lambda: _up_to_date(app), "the branch has moved")


def _up_to_date(app: Workspace) -> str | None:
    said = app.push(check=False)
    return said if "up-to-date" in said else None


@pytest.fixture
def storage_down(person: Person) -> Iterator[Callable[[], None]]:
    """Take the storage off the network by its Service; its bytes stay where they are."""
    selector = '{"spec":{"selector":{"haikube.dev/nobody":%s}}}'

    def down() -> None:
        person.kubectl(*SYSTEM, "patch", "service", "haikube-storage", "-p", selector % '"here"')

    yield down
    person.kubectl(*SYSTEM, "patch", "service", "haikube-storage", "-p", selector % "null")


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
    assert "storage" in said.lower()
    assert "Traceback" not in said
    assert app.answers("hello web.1")
