"""git gets the token or the key for the URL that it belongs to, and for no other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner

from bridge.local import a_login
from haikube.bridge.profile import load, login_file, save
from haikube.cli.credential import git_credential

LOGIN = replace(a_login("http://api.localhost:8080"), port=7007, token="t0ken", key="k3y")


@pytest.mark.parametrize(
    ("operation", "asked", "answer"),
    [
        ("get", "protocol=http\nhost=api.localhost:8080\n", "username=haikube\npassword=t0ken\n"),
        ("get", "protocol=https\nhost=localhost:7007\n", "username=haikube\npassword=k3y\n"),
        ("get", "protocol=https\nhost=localhost:7008\n", "username=haikube\npassword=other\n"),
        ("get", "protocol=http\nhost=localhost:7007\n", ""),
        ("get", "protocol=https\nhost=localhost\n", ""),
        ("get", "protocol=https\nhost=api.localhost:8080\n", ""),
        ("get", "protocol=http\nhost=evil.example\n", ""),
        ("get", "protocol=http\nhost=api.localhost:8080.evil.example\n", ""),
        ("get", "", ""),
        ("store", "protocol=http\nhost=api.localhost:8080\npassword=x\n", ""),
        ("erase", "protocol=http\nhost=api.localhost:8080\n", ""),
    ],
)
def test_answers_only_for_what_was_logged_in_to(operation: str, asked: str, answer: str) -> None:
    save("default", LOGIN)
    save("work", replace(LOGIN, api="https://api.example.com", port=7008, key="other"))
    result = CliRunner().invoke(git_credential, [operation], input=asked)

    assert (result.exit_code, result.output) == (0, answer)


def test_the_saved_login_is_readable_by_its_owner_alone() -> None:
    path = save("default", LOGIN)

    assert path.stat().st_mode & 0o777 == 0o600
    assert load("default") == LOGIN


def test_a_damaged_login_keeps_no_other_from_being_used() -> None:
    save("work", LOGIN)
    login_file("default").write_text("{")
    asked = "protocol=https\nhost=localhost:7007\n"
    result = CliRunner().invoke(git_credential, ["get"], input=asked)

    assert "password=k3y" in result.output
