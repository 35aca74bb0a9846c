"""What buildpacks say of a folder that is no app of theirs, and in which order they are asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from buildpacks.shell import ROOT
from haikube.api.rooms.buildpacks import OURS


@pytest.mark.parametrize("buildpack", ["python", "nodejs", "procfile"])
def test_a_folder_without_an_app_is_not_detected(tmp_path: Path, buildpack: str) -> None:
    done = subprocess.run(
        [ROOT / buildpack / "bin" / "detect", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr


def test_every_name_of_the_detection_order_is_told_once() -> None:
    lines = (ROOT / "order.txt").read_text().splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    assert len(set(names)) == len(names)
    assert {"python", "nodejs", "procfile"} <= set(names)


def test_the_registry_knows_every_buildpack_by_its_name() -> None:
    assert set(OURS) == {each.parent.parent.name for each in ROOT.glob("*/bin/detect")}
