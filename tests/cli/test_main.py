"""Every command of the table is there, and git's helper starts light."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from haikube.cli.main import COMMANDS, main


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"heroku"}))  # it passes --help on
def test_every_command_loads_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])

    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_help_lists_what_a_person_may_use() -> None:
    said = CliRunner().invoke(main, ["--help"]).output

    assert "deploy" in said
    assert "git-credential" not in said


def test_an_unknown_command_is_named() -> None:
    result = CliRunner().invoke(main, ["depoly"])

    assert result.exit_code == click.UsageError.exit_code
    assert "depoly" in result.output


@pytest.mark.parametrize("typed", ["ps", "logs", "ps:scale", "config:set"])
def test_who_types_a_command_of_heroku_is_told_where_it_is(typed: str) -> None:
    result = CliRunner().invoke(main, [typed, "-a", "hello"])

    assert result.exit_code == click.UsageError.exit_code
    assert f"heroku {typed}" in result.output


@pytest.mark.parametrize("module", ["credential", "environment"])
def test_what_runs_often_imports_no_client(module: str) -> None:
    program = (
        f"import sys, haikube.cli.main, haikube.cli.{module}\n"
        "heavy = {'aiohttp', 'kubernetes', 'pydantic', 'yaml', 'cryptography'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr


def test_usage_lines_name_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "haikube.cli", "login", "--nonsense"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr.startswith("Usage: haikube login ")
