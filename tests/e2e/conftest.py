"""Fixtures of the end-to-end suite: a logged-in person with a scratch home, on the local cluster.

Nothing here is faked: the ``haikube`` and ``git`` commands run as a user runs them, against the
cluster that ``make up`` made. Every app gets a name of its own and is deleted afterwards.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from terminal import Person, Workspace, log_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Return a person who ran ``haikube login`` once."""
    return log_in(tmp_path_factory.mktemp("home"))


@pytest.fixture
def workspace(person: Person, tmp_path: Path) -> Iterator[Callable[[str], Workspace]]:
    """Make apps with a repository; all of them are deleted at the end."""
    made: list[str] = []

    def make(stem: str) -> Workspace:
        app = f"{stem}-{secrets.token_hex(3)}"
        folder = tmp_path / app
        folder.mkdir()
        person.run("git", "init", "-q", cwd=folder)
        person.haikube("create", app, cwd=folder)
        made.append(app)
        return Workspace(person, app, folder)

    yield make
    for app in made:
        person.kubectl("delete", "app", app, "--ignore-not-found", "--wait=false")
