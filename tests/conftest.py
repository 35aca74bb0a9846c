"""What every test needs; fixtures of one part live in its own folder."""

from __future__ import annotations

import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_stray_event_loop() -> None:
    """Say that there is no current event loop.

    Otherwise pytest-asyncio, asking for it before it makes its own, creates one that nobody
    closes, and the warning about that fails an innocent test later.
    """
    asyncio.set_event_loop(None)
