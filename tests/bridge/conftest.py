"""Fixtures: the bridge in this process, and a client that has its key."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bridge.local import KEY, Local, Upstream, a_login
from haikube.bridge.authority import authority_file, ensure
from haikube.bridge.front import listeners
from haikube.bridge.main import Bridge
from haikube.bridge.profile import now, save


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    platform = Upstream()
    async with platform.running():
        yield platform


@pytest.fixture
async def bridge(upstream: Upstream) -> AsyncIterator[Local]:
    ensure(now())
    sockets = listeners(0)
    login = replace(a_login(upstream.url), port=sockets[0].getsockname()[1])
    save("default", login)
    running = Bridge("default")
    running.start(sockets)
    trusting = ssl.create_default_context(cafile=str(authority_file()))
    yield Local(login, login.port, trusting)
    await running.stop()


@pytest.fixture
async def client(bridge: Local) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {KEY}"}
    connector = aiohttp.TCPConnector(ssl=bridge.tls)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        yield session
