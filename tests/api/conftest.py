"""Callers of the platform that runs in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from rest import Rest
from world import TOKEN, World, running


@pytest.fixture
async def kept() -> AsyncIterator[World]:
    """A platform whose apps have releases and dynos."""
    async with running(ledger=True) as platform:
        yield platform


@pytest.fixture
async def ada(kept: World) -> AsyncIterator[Rest]:
    """A developer of team-a, as a client of Heroku's API."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(kept.url, headers=headers) as session:
        yield Rest(session)
