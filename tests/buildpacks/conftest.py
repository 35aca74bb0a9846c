"""Apps on the stack's images, without a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from buildpacks.theatre import Theatre
from haikube.cli.buildpacks import stage_in


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    with stage_in(tmp_path) as stage:
        yield Theatre(stage)
