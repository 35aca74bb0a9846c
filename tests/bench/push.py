"""``git push`` to the first 200, against the sum of its parts run bare; and the second push."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import sample_apps
from bench.bare import Bare
from bench.pairs import Measured, at_most, timed
from terminal import Person, Workspace, eventually

PAIRS = 5
PUSH_LIMIT = 1.5
SECOND_LIMIT = 0.4


def run(person: Person, scratch: Path) -> list[Measured]:
    """Measure with a Django app that pip installs for; every pair starts without any cache."""
    first: list[tuple[float, float]] = []
    second: list[tuple[float, float]] = []
    for number in range(PAIRS):
        ours, again = _haikube(person, scratch / f"app-{number}")
        first.append((ours, _bare(person, scratch / f"app-{number}")))
        second.append((again, ours))
    return [
        at_most("push → first 200", first, PUSH_LIMIT, "Django; reference: its parts run bare"),
        at_most("second push, nothing changed", second, SECOND_LIMIT, "reference: the first push"),
    ]


def _haikube(person: Person, folder: Path) -> tuple[float, float]:
    """Return the seconds of a first push to 200 and of an unchanged second one to its release."""
    app = Workspace(person, f"bench-{secrets.token_hex(3)}", folder)
    folder.mkdir(parents=True)
    person.run("git", "init", "-q", cwd=folder)
    person.haikube("create", app.app, cwd=folder)
    try:
        sample_apps.django(folder)
        app.commit()
        first = timed(lambda: (app.push(), eventually(lambda: app.answers("web.1"), "200")))
        app.git("commit", "-q", "--allow-empty", "-m", "unchanged")
        return first, timed(app.push)
    finally:
        person.kubectl("delete", "app", app.app, "--wait=true")


def _bare(person: Person, folder: Path) -> float:
    bare = Bare(person, "python", "gunicorn mysite.wsgi")
    target = folder.parent / f"{bare.name}.git"
    person.run("git", "init", "-q", "--bare", str(target))
    bare.prepare(folder)
    steps: list[Callable[[], object]] = [
        lambda: person.run("git", "push", "-q", str(target), "main", cwd=folder),
        bare.build,
        bare.start,
    ]
    try:
        return sum(timed(step) for step in steps)
    finally:
        bare.remove()
