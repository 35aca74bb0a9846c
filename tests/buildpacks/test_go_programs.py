"""The process types that programs of Go become."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from buildpacks.shell import ROOT


def released(place: Path, *programs: str, procfile: bool = False) -> str:
    """Return what the Go buildpack's bin/release prints for an app with these programs."""
    (place / ".heroku" / "go").mkdir(parents=True)
    (place / ".heroku" / "go" / "programs").write_text("".join(f"{each}\n" for each in programs))
    if procfile:
        (place / "Procfile").write_text("web: bin/web\n")
    command = [ROOT / "go" / "bin" / "release", place]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("programs", "types"),
    [
        (["server"], ["web: bin/server"]),
        (["web", "worker"], ["web: bin/web", "worker: bin/worker"]),
        (["Api", "a_b", "release", "web"], ["web: bin/web"]),
    ],
)
def test_go_programs_are_process_types(
    tmp_path: Path, programs: list[str], types: list[str]
) -> None:
    lines = ["default_process_types:", *(f"  {each}" for each in types)]
    assert released(tmp_path, *programs) == "\n".join(lines) + "\n"


def test_a_procfile_says_which_of_several_go_programs_run(tmp_path: Path) -> None:
    assert released(tmp_path, "web", "worker", procfile=True) == "--- {}\n"
