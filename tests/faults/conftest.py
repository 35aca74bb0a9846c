"""One control plane, storage and source of operators for all tests on a real API server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.operators import operators
from faults.plane import control_plane
from faults.real import Surroundings
from storage.seaweed import start_seaweed


@pytest.fixture(scope="session")
def around() -> Iterator[Surroundings]:
    """Run what all worlds of a session share."""
    with tempfile.TemporaryDirectory(prefix="haikube-faults-") as name:
        folder = Path(name)
        seaweed = start_seaweed(folder)
        try:
            with control_plane(folder) as plane, operators(folder) as forks:
                yield Surroundings(plane, seaweed, forks)
        finally:
            seaweed.stop()
