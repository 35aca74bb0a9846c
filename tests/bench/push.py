"""``git push`` to the first 200, against the sum of its parts run bare; and the second push.

The second push is measured with three apps: the two that generators give, whose first push is
little more than what every push takes, and one with the packages that Django apps usually bring.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sample_apps
from bench.bare import Bare
from bench.pairs import Measured, Seconds, at_most, timed
from terminal import Person, Workspace, eventually

PAIRS = 5
PUSH_LIMIT = 1.5
SECOND_LIMIT = 0.4


@dataclass(frozen=True)
class Sample:
    """An app, how it is made and a part of what it answers."""

    name: str
    make: Callable[[Path], None]
    answer: str


DJANGO = Sample("Django", sample_apps.django, "web.1")
OTHERS = (
    Sample("Django with usual packages", sample_apps.django_with_usual_packages, "web.1"),
    Sample("Express", sample_apps.express, "Express"),
)


def run(person: Person, scratch: Path) -> list[Measured]:
    """Measure apps that pip or npm install for; every pair starts without any cache."""
    ours, again, bare = [], [], []
    for number in range(PAIRS):
        folder = scratch / f"app-{number}"
        first, second = _haikube(person, DJANGO, folder)
        ours.append(first)
        again.append((second, first))
        bare.append(_bare(person, folder))
    pairs = list(zip(ours, bare, strict=True))
    return [
        at_most("push → first 200", pairs, PUSH_LIMIT, "Django; reference: its parts run bare"),
        _second(DJANGO, again),
        *(_second(each, _pairs(person, each, scratch)) for each in OTHERS),
    ]


def _pairs(person: Person, sample: Sample, scratch: Path) -> list[Seconds]:
    """Return the seconds of second and first pushes."""
    names = [f"{sample.name.replace(' ', '-')}-{number}" for number in range(PAIRS)]
    times = [_haikube(person, sample, scratch / name) for name in names]
    return [(second, first) for first, second in times]


def _second(sample: Sample, pairs: list[Seconds]) -> Measured:
    note = f"{sample.name}; reference: the first push"
    return at_most("second push, nothing changed", pairs, SECOND_LIMIT, note)


def _haikube(person: Person, sample: Sample, folder: Path) -> tuple[float, float]:
    """Return the seconds of a first push to 200 and of an unchanged second one to its release."""
    app = Workspace(person, f"bench-{secrets.token_hex(3)}", folder)
    folder.mkdir(parents=True)
    person.run("git", "init", "-q", cwd=folder)
    person.haikube("create", app.app, cwd=folder)
    try:
        sample.make(folder)
        app.commit()
        first = timed(lambda: (app.push(), eventually(lambda: app.answers(sample.answer), "200")))
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
