"""The same storage contract runs against memory and a real S3 server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from haikube.storage.memory import MemoryStorage
from haikube.storage.port import Storage
from haikube.storage.s3 import S3Storage
from storage.seaweed import Seaweed, start_seaweed


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Seaweed]:
    """Run one S3 server for all tests of the session."""
    with tempfile.TemporaryDirectory(prefix="haikube-seaweed-") as directory:
        server = start_seaweed(Path(directory))
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(params=["memory", "s3"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Return an adapter; tests share the bucket, so each uses its own prefix."""
    if request.param == "memory":
        return MemoryStorage()
    server: Seaweed = request.getfixturevalue("seaweed")
    return S3Storage(server.settings())
