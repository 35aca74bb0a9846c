"""What of Gradle works without a Gradle distribution: the wrapper, its refusals, its messages.

No package source that tests may use has a distribution of Gradle, so no app is built here. Debian's
4.4.1 cannot stand in for one: it looks for its own jars below /usr/share, whatever was unpacked.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from haikube.build.harness.rehearsal import Stage
from languages.mirrors.rootfs import CACHE
from languages.proof import refused

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

TEMPLATE = "@react-native-community/template@0.76.6"


@cache
def android() -> Path:
    """Return a project as a generator ships it, with a real wrapper."""
    folder = CACHE / "gradle-wrapper"
    if not (folder / "package").exists():
        folder.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", TEMPLATE, "--silent"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        subprocess.run(["tar", "--extract", "--file", packed], cwd=folder, check=True)
    return folder / "package" / "template" / "android"


def java_app(folder: Path) -> Path:
    """Write a small Java project with the wrapper of that generator."""
    shutil.copytree(android() / "gradle", folder / "gradle")
    shutil.copy(android() / "gradlew", folder)
    (folder / "build.gradle").write_text("plugins { id 'application' }\n")
    (folder / "system.properties").write_text("java.runtime.version=21\n")
    return folder


def test_a_project_without_a_wrapper(stage: Stage, tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "build.gradle").write_text("plugins { id 'java' }\n")

    log = refused(stage, app)

    assert "-----> Gradle app detected" in log
    assert "The Gradle wrapper is not complete." in log
    assert 'Run "gradle wrapper" and commit gradlew' in log


def test_a_distribution_that_cannot_be_had(stage: Stage, tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    java_app(app)

    log = refused(stage, app, {"GRADLE_DISTRIBUTION_URL": "http://127.0.0.1:9/mirror/%s"})

    assert "Using gradle-8.10.2-all.zip of GRADLE_DISTRIBUTION_URL" in log
    assert "Downloading http://127.0.0.1:9/mirror/gradle-8.10.2-all.zip" in log
    assert "GRADLE_DISTRIBUTION_URL names another place for the Gradle of the wrapper." in log
