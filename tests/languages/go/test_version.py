"""Which Go an app gets: the buildpack's own functions, without a stack."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

BUILDPACKS = Path(__file__).parents[3] / "buildpacks"
RELEASES = ("1.24.9", "1.25.0", "1.25.3", "1.25.14", "1.26rc1", "1.26.0", "1.26.11", "1.27.0")
PRELUDE = """
set -euo pipefail
BUILD_DIR=$1 HAIKUBE_LIB=$LIBRARY && shift
for part in env_dir version runtimes; do source "$LIBRARY/$part.sh"; done
source "$GO/version.sh"
"""


def bash(app: Path, script: str, *words: str, stdin: str = "", **environment: str) -> str:
    """Run functions of the buildpack and return what they print."""
    environment |= {
        "PATH": "/usr/bin:/bin",
        "LIBRARY": str(BUILDPACKS / "lib"),
        "GO": str(BUILDPACKS / "go" / "lib"),
    }
    return subprocess.run(
        ["bash", "-c", f"{PRELUDE}\n{script}", "bash", str(app), *words],
        input=stdin,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize(
    ("module", "environment", "wanted"),
    [
        ("go 1.25\n", {}, "1.25\tgo"),
        ("go 1.25.0\n", {}, "1.25.0\tgo"),
        ("go 1.25\ntoolchain go1.26.6\n", {}, "1.26.6\ttoolchain"),
        ("go 1.25\ntoolchain default\n", {}, "1.25\tgo"),
        ("go 1.25\r\ntoolchain go1.26.6\r\n", {}, "1.26.6\ttoolchain"),
        ("// +heroku goVersion go1.24\ngo 1.25\n", {}, "1.24\t// +heroku goVersion"),
        ("// +heroku goVersion go1.24\ngo 1.25\n", {"GOVERSION": "go1.27"}, "1.27\tGOVERSION"),
        ("module x\n", {}, "1.26\t"),
    ],
)
def test_where_the_version_is_from(
    tmp_path: Path, module: str, environment: dict[str, str], wanted: str
) -> None:
    (tmp_path / "go.mod").write_bytes(module.encode())

    assert bash(tmp_path, "wanted_version", **environment) == f"{wanted}\n"


@pytest.mark.parametrize(
    ("wanted", "source", "release"),
    [
        ("1.25", "go", "1.25.14"),
        ("1.25.0", "go", "1.25.14"),
        ("1.25.0", "toolchain", "1.25.0"),
        ("1.25", "GOVERSION", "1.25.14"),
        ("1.26", "", "1.26.11"),
        ("1.26rc1", "GOVERSION", "1.26rc1"),
        ("1.25.99", "GOVERSION", ""),
        ("1.99", "go", ""),
    ],
)
def test_which_release_answers_it(tmp_path: Path, wanted: str, source: str, release: str) -> None:
    found = bash(tmp_path, 'version_resolve "$@"', wanted, source, stdin="\n".join(RELEASES))

    assert found.strip() == release


def test_what_is_offered_instead(tmp_path: Path) -> None:
    releases = "\n".join(RELEASES)

    assert bash(tmp_path, 'version_offer "$@"', "1.25.99", stdin=releases) == (
        "1.25.0, 1.25.3, 1.25.14\n"
    )
    assert bash(tmp_path, 'version_offer "$@"', "1.99", stdin=releases) == (
        "1.24.9, 1.25.14, 1.26.11, 1.27.0\n"
    )


def test_the_programs_that_a_comment_names(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module x\n\n// +heroku install ./cmd/... ./web \n")

    assert bash(tmp_path, "heroku_directive install") == "./cmd/... ./web\n"
