"""Everything that the command writes goes to a scratch home."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haikube.bridge.profile import Login
from haikube.cli.platform import Platform, connect
from world import NAMESPACE, TOKEN, World, running


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    for name, value in {
        "HOME": folder,
        "XDG_CONFIG_HOME": folder / ".config",
        "XDG_STATE_HOME": folder / ".state",
        "PYTHONPATH": Path(__file__).parents[2] / "operator",
    }.items():
        monkeypatch.setenv(name, str(value))
    for name in ("GIT_CONFIG_GLOBAL", "HAIKUBE_PROFILE", "HEROKU_API_KEY", "NODE_EXTRA_CA_CERTS"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running() as platform:
        platform.cluster.app("hello")
        yield platform


@pytest.fixture
async def platform(world: World) -> AsyncIterator[Platform]:
    async with connect(Login(world.url, TOKEN, "", NAMESPACE, "", "")) as made:
        yield made
