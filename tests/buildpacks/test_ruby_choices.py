"""What Bundler is told of the Ruby that there is, in bash alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildpacks.shell import Shell

PARTS = ("requirement", "lockfile", "version")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('ruby "3.3"', 'ruby "~> 3.3.0"'),
        ("ruby '= 3.3'", 'ruby "~> 3.3.0"'),
        ('ruby "3"', 'ruby "~> 3.3.0"'),
        ('ruby("3.3.4")', 'ruby("~> 3.3.0")'),
        ('ruby "3.3.14"', 'ruby "3.3.14"'),
        ('ruby "~> 3.3"', 'ruby "~> 3.3"'),
        ('ruby ">= 3.1", "< 3.5"', 'ruby ">= 3.1", "< 3.5"'),
        ('gem "rack"', 'gem "rack"'),
    ],
)
def test_a_gemfile_allows_the_patch_level_that_there_is(
    tmp_path: Path, line: str, told: str
) -> None:
    ruby = Shell(tmp_path, "ruby")
    ruby.write({"Gemfile": f"source 'x'\n{line}\n"})
    ruby.run("allow_ruby 3.3.14", *PARTS)
    assert (tmp_path / "build" / "Gemfile").read_text() == f"source 'x'\n{told}\n"


@pytest.mark.parametrize(
    ("text", "told"), [("3.3\n", "3.3.14"), ("ruby-3.3.4\n", "3.3.14"), ("3.3.14\r\n", "3.3.14")]
)
def test_so_does_the_file_that_it_names(tmp_path: Path, text: str, told: str) -> None:
    ruby = Shell(tmp_path, "ruby")
    ruby.write({"Gemfile": 'ruby file: ".ruby-version"\n', ".ruby-version": text})
    ruby.run("allow_ruby 3.3.14", *PARTS)
    assert (tmp_path / "build" / ".ruby-version").read_text().strip() == told
