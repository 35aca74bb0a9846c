"""Fixtures of the end-to-end suite: a logged-in person with a scratch home, on the local cluster.

Nothing here is faked: the ``haikube`` and ``git`` commands run as a user runs them, against the
cluster that ``make up`` made. Every app gets a name of its own and is deleted afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from terminal import Make, Person, log_in, workspaces


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
def workspace(person: Person, tmp_path: Path) -> Iterator[Make]:
    """Make apps with a repository; all of them are deleted at the end."""
    with workspaces(person, tmp_path) as make:
        yield make
