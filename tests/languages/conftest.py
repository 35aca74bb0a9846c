"""The stack's images as a stage, and a table of what the languages took."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from haikube.build.harness.rehearsal import Stage
from haikube.cli.buildpacks import stage_in

_TABLES = pytest.StashKey[dict[str, dict[str, str]]]()
LANGUAGES = frozenset({"clojure", "go", "java", "nodejs", "php", "python", "ruby", "scala"})
"""First words of the names in the tables."""

_SAMPLES = Path(__file__).parent


class Measured(Protocol):
    """What has a line in a table of its kind."""

    @property
    def heading(self) -> str:
        """Return what stands above the columns of the line."""

    def row(self) -> str:
        """Return the line, without the app's name."""


Note = Callable[[str, Measured], None]
Sample = Callable[[str], Path]


def pytest_configure(config: pytest.Config) -> None:
    """Start without a table."""
    config.stash[_TABLES] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables."""
    for heading, rows in terminalreporter.config.stash[_TABLES].items():
        terminalreporter.section("languages")
        terminalreporter.line(f"{'app':<28} {heading}")
        for name, row in rows.items():
            terminalreporter.line(f"{name:<28} {row}")
        shown = LANGUAGES & {name.split()[0] for name in rows}
        terminalreporter.line(f"{len(shown)} of {len(LANGUAGES)} languages")


def copy_sample(name: str, folder: Path) -> None:
    """Copy one of the sample apps beside this file to a folder, which may exist."""
    shutil.copytree(_SAMPLES / name, folder, dirs_exist_ok=True)


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
    """Return a function that adds what was measured to the table of its kind."""

    def add(name: str, measured: Measured) -> None:
        request.config.stash[_TABLES].setdefault(measured.heading, {})[name] = measured.row()

    return add


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """Return a function that copies one of the sample apps beside this file."""

    def copy(name: str) -> Path:
        target = tmp_path / "app"
        copy_sample(name, target)
        return target

    return copy
