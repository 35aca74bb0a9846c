"""Apps on the stack's images, without a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from buildpacks.shell import Shell
from buildpacks.theatre import Theatre
from haikube.cli.buildpacks import stage_in


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    with stage_in(tmp_path) as stage:
        yield Theatre(stage)


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], Shell]:
    return lambda buildpack: Shell(tmp_path, buildpack)


@pytest.fixture
def lib(tmp_path: Path) -> Shell:
    return Shell(tmp_path, "toy")


@pytest.fixture
def node(tmp_path: Path) -> Shell:
    return Shell(tmp_path, "nodejs")
