"""The stack's images as a stage, and a table of what the languages took."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from haikube.build.harness.rehearsal import Stage
from haikube.cli.buildpacks import stage_in
from languages.proof import HEADING, Proof

_ROWS = pytest.StashKey[dict[str, str]]()
_SAMPLES = Path(__file__).parent

Note = Callable[[str, Proof], None]
Sample = Callable[[str], Path]


def pytest_configure(config: pytest.Config) -> None:
    """Start with an empty table."""
    config.stash[_ROWS] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    rows = terminalreporter.config.stash[_ROWS]
    if rows:
        terminalreporter.section("languages")
        terminalreporter.line(f"{'app':<28} {HEADING}")
        for name, row in rows.items():
            terminalreporter.line(f"{name:<28} {row}")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Yield a stage; what succeeds leaves its cache to the tests after it in the same file."""
    folder = tmp_path_factory.mktemp("stage")
    with stage_in(folder) as made:
        yield made
    # Roots and caches of 500 MB each are not to be kept for the last three runs.
    shutil.rmtree(folder)


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Note:
    """Return a function that adds a proof to the table."""

    def add(name: str, proof: Proof) -> None:
        request.config.stash[_ROWS][name] = proof.row()

    return add


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """Return a function that copies one of the sample apps beside this file."""

    def copy(name: str) -> Path:
        target = tmp_path / "app"
        shutil.copytree(_SAMPLES / name, target)
        return target

    return copy
