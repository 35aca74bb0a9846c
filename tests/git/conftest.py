"""A platform with one app and a working tree to push from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from git.client import Checkout, checkout
from haikube.git import push
from world import World, running


@pytest.fixture(autouse=True)
def _short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a storage that is away be asked again at once."""
    monkeypatch.setattr(push, "_PAUSE", 0.01)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running() as platform:
        platform.cluster.app("hello")
        yield platform


@pytest.fixture
async def tree(world: World, tmp_path: Path) -> Checkout:
    """Return a working tree with one commit."""
    made = await checkout(tmp_path / "hello", world.url)
    await made.commit({"app.py": "print('hello')\n", "Procfile": "web: python app.py\n"})
    return made
