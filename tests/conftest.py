"""What several parts need; fixtures of one part live in its own folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from terminal import Make, Person, log_in, workspaces

settings.register_profile("house", deadline=None)  # a slow machine fails no test
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def _no_stray_event_loop() -> None:
    """Say that there is no current event loop.

    Otherwise pytest-asyncio, asking for it before it makes its own, creates one that nobody
    closes, and the warning about that fails an innocent test later.
    """
    asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Return a person who ran ``haikube login`` once."""
    return log_in(tmp_path_factory.mktemp("home"))


@pytest.fixture
def workspace(person: Person, tmp_path: Path) -> Iterator[Make]:
    """Make apps with a repository; all of them are deleted at the end."""
    with workspaces(person, tmp_path) as make:
        yield make
