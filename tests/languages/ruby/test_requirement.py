"""RubyGems requirements and Gemfiles, read by the buildpack's own shell functions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

BUILDPACKS = Path(__file__).parents[3] / "buildpacks"


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the functions of the Ruby buildpack."""
    load = "".join(
        f"source {BUILDPACKS}/{part}.sh\n"
        for part in ("lib/version", "ruby/lib/requirement", "ruby/lib/lockfile")
    )
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", load + script],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("version", "requirement", "fits"),
    [
        ("3.3.14", "3.3.14", True),
        ("3.3.14", "3.3", True),
        ("3.3.14", "3.3.1", False),
        ("3.3.14", "~> 3.3", True),
        ("3.4.1", "~> 3.3", True),
        ("3.4.1", "~> 3.3.0", False),
        ("3.3.14", "~> 3.3.9", True),
        ("3.3.8", "~> 3.3.9", False),
        ("4.0.0", "~> 3", False),
        ("3.3.14", ">= 3.1, < 3.5", True),
        ("3.5.0", ">= 3.1,< 3.5", False),
        ("3.3.14", "!= 3.3.14", False),
        ("3.3.14", "> 3.3.14", False),
        ("3.3.14", "<= 3.3.14", True),
        ("3.10.0", ">= 3.9", True),
        ("3.3.14", "latest, please", False),
    ],
)
def test_requirements(version: str, requirement: str, *, fits: bool) -> None:
    done = shell('version_fits_all "$V" "$R"', V=version, R=requirement)

    assert (done.returncode == 0) is fits, done.stderr


def test_the_newest_that_fits() -> None:
    done = shell("printf '3.2.1\\n3.10.0\\n3.3.14\\n' | newest_fitting '>= 3.2, < 4'")

    assert done.stdout == "3.10.0\n"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('ruby "3.3.9"', "3.3.9"),
        ("ruby '>= 3.1', '< 3.5'", ">= 3.1,< 3.5"),
        ('  ruby("~> 3.3")', "~> 3.3"),
        ('ruby "3.1.4", engine: "jruby", engine_version: "9.4.8.0"', "3.1.4"),
        ('ruby file: ".ruby-version"', "3.2.4"),
        ('ruby file: ".tool-versions"', "3.1.2"),
        ('gem "ruby-graphviz", "1.0"', ""),
        ('ruby "3.3.9"\r', "3.3.9"),
    ],
)
def test_the_ruby_of_a_gemfile(tmp_path: Path, line: str, wanted: str) -> None:
    (tmp_path / "Gemfile").write_text(f'source "x"\n{line}\ngem "rack"\n', newline="")
    (tmp_path / ".ruby-version").write_text("ruby-3.2.4\n")
    (tmp_path / ".tool-versions").write_text("nodejs 20.0.0\nruby 3.1.2\n")

    done = shell("gemfile_ruby", BUILD_DIR=str(tmp_path))

    assert done.stdout.strip() == wanted, done.stderr


def test_a_lock_file_with_windows_line_ends(tmp_path: Path) -> None:
    lock = (
        "GEM\n  specs:\n    rack (3.1.20)\n    nokogiri (1.18.2-x86_64-linux)\n      racc (~> 1)\n"
    )
    (tmp_path / "Gemfile.lock").write_text(
        (lock + "\nRUBY VERSION\n   ruby 3.3.9p170\n\nBUNDLED WITH\n   2.5.22\n").replace(
            "\n", "\r\n"
        ),
        newline="",
    )

    done = shell(
        "locked_gems; echo $LOCKED_GEMS; locked_ruby; ! has_gem x racc; has_gem x rack",
        BUILD_DIR=str(tmp_path),
    )

    assert done.stdout.split() == ["rack", "3.1.20", "nokogiri", "1.18.2", "3.3.9"]
    assert done.returncode == 0
