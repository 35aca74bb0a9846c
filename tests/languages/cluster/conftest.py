"""Fixtures of the language suite on the local cluster, where nothing is faked but the registries.

Every app is made, pushed and deleted as a person does it; see ``languages.journey``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from languages.conftest import Note
from languages.journey import POLITE, CacheSign, Journey, walk
from terminal import Workspace


class Live(Protocol):
    """Takes a folder with an app all the way; what holds in every language is asserted."""

    def __call__(
        self,
        name: str,
        app: Workspace,
        sign: CacheSign,
        *,
        path: str = "/",
        secure: bool = False,
        polite: frozenset[int] = POLITE,
    ) -> Journey:
        """Return what was seen, for what the language has of its own."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the cluster and minutes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.languages)
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture
def live(note: Note) -> Live:
    """Return the function, which also adds to the table."""

    def through(
        name: str,
        app: Workspace,
        sign: CacheSign,
        *,
        path: str = "/",
        secure: bool = False,
        polite: frozenset[int] = POLITE,
    ) -> Journey:
        app.commit("first")
        journey = walk(app, sign, path=path, secure=secure)
        note(name, journey)
        assert journey.cached, f"no sign of the cache in\n{journey.again.log}"
        assert journey.status == 200
        assert journey.ended.exit_code in polite
        return journey

    return through
