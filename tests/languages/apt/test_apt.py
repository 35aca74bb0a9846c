"""Packages of an Aptfile: there when the next buildpack compiles and when the dyno runs."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

import pytest

from haikube.build.harness.rehearsal import Stage, build
from languages.proof import Built, build_app, one_off

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Aptfile").write_text("# tools\r\njq tree # two in a line\nlibopus-dev\n")
    (folder / "Procfile").write_text("worker: tree --version\n")
    return folder


def refused_by_apt(stage: Stage, app: Path, line: str) -> str:
    """Return the log of a build whose Aptfile has this line."""
    (app / "Aptfile").write_text(f"jq\n{line}\n")
    built = build_app(stage, app, buildpack="apt")
    assert built.outcome.result["reason"] == "CompileFailed", built.log
    return built.log


def test_programs_and_libraries(stage: Stage, app: Path) -> None:
    first = build_app(stage, app, buildpack="apt")
    again = build_app(stage, app, buildpack="apt")

    assert "-----> Installing jq tree libopus-dev" in first.log
    assert "Using the packages of the last build" in again.log
    assert one_off(stage, again, "jq -n 1+1; command -v tree") == "2\n/app/.apt/usr/bin/tree\n"


def test_the_next_buildpack_compiles_against_them(stage: Stage, app: Path, tmp_path: Path) -> None:
    using = tmp_path / "app" / "inline"
    (using / "bin").mkdir(parents=True)
    scripts = {
        "detect": "echo Inline",
        "compile": "cd $1 && printf '#include <opus/opus.h>\\n#include <stdio.h>\\n"
        "int main(void) { puts(opus_get_version_string()); }' > opus.c\n"
        "gcc opus.c $(pkg-config --cflags --libs opus) -o opus && tree --version",
        "release": "echo '--- {}'",
    }
    for name, script in scripts.items():
        path = using / "bin" / name
        path.write_text(f"#!/usr/bin/env bash\nset -euo pipefail\n{script}\n")
        path.chmod(0o755)

    built = _with_second(stage, app, using)

    assert "tree v" in built.log
    assert one_off(stage, built, "./opus").startswith("libopus ")


def _with_second(stage: Stage, app: Path, second: Path) -> Built:
    with tarfile.open(stage.objects.folder / "inline.tgz", "w:gz") as tar:
        tar.add(second, arcname=".")
    packs = [{"name": "apt"}, {"url": stage.objects.url("inline.tgz")}]
    with tempfile.TemporaryFile() as output:
        outcome = build(stage, app, buildpacks=packs, output=output)
        output.seek(0)
        return Built(outcome, output.read().decode(errors="replace"), 0)


def test_a_package_that_does_not_exist(stage: Stage, app: Path) -> None:
    log = refused_by_apt(stage, app, "no-such-package")

    assert "what the stack debian-13 does not have: no-such-package" in log


def test_a_repository(stage: Stage, app: Path) -> None:
    log = refused_by_apt(stage, app, ":repo:deb http://example.com/debian stable main")

    assert "Line 2 of the Aptfile adds a repository (:repo:)" in log


@pytest.mark.parametrize("word", ["--allow-unauthenticated", "../x", "$(id)", "Jq"])
def test_what_is_no_package_name(stage: Stage, app: Path, word: str) -> None:
    log = refused_by_apt(stage, app, word)

    assert f"Line 2 of the Aptfile holds '{word}', which is neither a package name" in log


def test_no_aptfile(stage: Stage, app: Path) -> None:
    (app / "Aptfile").unlink()

    built = build_app(stage, app, buildpack="apt")

    assert built.outcome.result["reason"] == "NoBuildpackMatches"
    assert "There is no Aptfile at the root of this app." in built.log
