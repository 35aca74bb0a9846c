"""No request of an app is dropped by deploys, a restart or a drain, in any of the eight languages.

``HAIKUBE_DEPLOYS`` is how many deploys there are, ``HAIKUBE_PUSHES`` how many of them are pushes;
the others are releases by a new config var, which replace all dynos as well and need no build.
``HAIKUBE_RATE`` is how many requests there are a second.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from buildpacks import locks
from e2e.test_nothing_dropped import evict, is_web, names, restart, settled
from fileserver import file_server
from languages.conftest import Note
from languages.kept import apps
from languages.mirrors.gems import gem_mirror
from languages.mirrors.served import served
from languages.ruby.apps import sinatra
from load import MARK, Load, under_load
from terminal import Make, Person, Workspace, eventually

pytestmark = [pytest.mark.languages, pytest.mark.kept, pytest.mark.timeout(3600)]

DEPLOYS = int(os.environ.get("HAIKUBE_DEPLOYS", "10"))
PUSHES = int(os.environ.get("HAIKUBE_PUSHES", str(DEPLOYS)))
Through = Callable[[str, Workspace, str], None]
RATE = float(os.environ.get("HAIKUBE_RATE", "100"))


@pytest.mark.parametrize(
    ("write", "starts"),
    [
        (apps.python, "gunicorn --threads 150 app:app"),
        (apps.go, "bin/hello"),
        (apps.java, "java -Dserver.port=$PORT $JAVA_OPTS -jar target/hello-1.0.0.jar"),
        (apps.clojure, "java $JVM_OPTS -jar target/hello-standalone.jar"),
        (apps.scala, "target/universal/stage/bin/hello -Dhttp.port=$PORT"),
    ],
    ids=["python", "go", "java", "clojure", "scala"],
)
def test_nothing_is_dropped(
    workspace: Make, through: Through, write: Callable[[Path], None], starts: str
) -> None:
    app = workspace("kept")
    write(app.folder)
    through(write.__name__, app, starts)


def test_nothing_is_dropped_of_nodejs(workspace: Make, through: Through) -> None:
    app = workspace("kept")
    apps.nodejs(app.folder)
    locks.npm_lock(app.folder)
    through("nodejs", app, "npm start")


def test_nothing_is_dropped_of_php(workspace: Make, through: Through) -> None:
    """PHP has a process for each request that is answered at once."""
    app = workspace("kept")
    apps.php(app.folder)
    app.configure({"WEB_CONCURRENCY": "100"})
    through("php", app, "heroku-php-apache2")


def test_nothing_is_dropped_of_ruby(workspace: Make, through: Through, person: Person) -> None:
    app = workspace("kept")
    with served(gem_mirror()) as here:
        sinatra(app.folder, here)
    apps.ruby(app.folder)
    with file_server(person) as server:
        server.fill(gem_mirror())
        app.configure({"BUNDLE_MIRROR__ALL": server.url})
        through("ruby", app, "bundle exec rackup config.ru -p ${PORT:-5000}")


@dataclass(frozen=True)
class Kept:
    """What an app went through without dropping anything."""

    requests: int
    seconds: float
    deploys: int
    heading: ClassVar[str] = f"{'requests':>9} {'in s':>6} {'deploys':>8}"

    def row(self) -> str:
        return f"{self.requests:9} {self.seconds:6.0f} {self.deploys:8}"


@pytest.fixture
def through(person: Person, note: Note) -> Through:
    """Return what takes an app through it all."""

    def take(language: str, app: Workspace, starts: str) -> None:
        load = _through(app, person)
        assert load.dropped == {}, f"{load.count} requests"
        [web] = [
            each
            for each in person.items("formations", app.app)
            if each["metadata"]["name"].endswith("-web")
        ]
        assert web["status"]["command"] == starts
        note(f"{language} {starts}"[:28], Kept(load.count, load.seconds, DEPLOYS))

    return take


def _through(app: Workspace, person: Person) -> Load:
    """Deploy, restart and evict an app under load; no answer may be anything but its own."""
    app.commit("first")
    app.push()
    eventually(lambda: app.answers(MARK, "/?seconds=0"), "the first answer")
    with under_load(f"{app.app}.localhost", RATE) as load:
        for number in range(DEPLOYS):
            deploy(app, number)
            assert load.dropped == {}, f"deploy {number}, {load.count} requests, {load.when}"
        eventually(lambda: settled(app), "the last deploy")
        restart(app, person)
        assert load.dropped == {}, f"restart, {load.count} requests"
        leave(app, person)
        eventually(lambda: settled(app), "the end of the drain")
    return load


def deploy(app: Workspace, number: int) -> None:
    """Replace all dynos of an app by those of a new release."""
    if number < PUSHES:
        app.git("commit", "-q", "--allow-empty", "-m", f"deploy {number}")
        app.push()
        return
    before = names(app)
    app.configure({"DEPLOY": str(number)})
    eventually(lambda: not before & names(app) and names(app), "the dynos of another release")


def leave(app: Workspace, person: Person) -> None:
    """Drain the node of the only dyno, and let it be used again once its replacement waits."""
    [pod] = [pod for pod in person.items("pods", app.app) if is_web(pod)]
    old, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
    person.kubectl("cordon", node)
    try:
        assert not evict(app, old)
        eventually(lambda: len(names(app)) > 1, "its replacement")
    finally:
        person.kubectl("uncordon", node)
    eventually(lambda: evict(app, old), "the end of the drain")
