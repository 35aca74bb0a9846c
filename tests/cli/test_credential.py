"""git gets the token for the platform's own URL and for no other."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from haikube.cli.config import Login, load, login_file, save
from haikube.cli.credential import git_credential

LOGIN = Login(
    api="http://api.localhost:8080",
    token="t0ken",
    expires_at="",
    namespace="default",
    kubeconfig="",
    service_account="developer",
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("operation", "asked", "answer"),
    [
        ("get", "protocol=http\nhost=api.localhost:8080\n", "username=haikube\npassword=t0ken\n"),
        ("get", "protocol=https\nhost=api.localhost:8080\n", ""),
        ("get", "protocol=http\nhost=evil.example\n", ""),
        ("get", "protocol=http\nhost=api.localhost:8080.evil.example\n", ""),
        ("get", "", ""),
        ("store", "protocol=http\nhost=api.localhost:8080\npassword=x\n", ""),
        ("erase", "protocol=http\nhost=api.localhost:8080\n", ""),
    ],
)
def test_answers_only_for_the_logged_in_api(operation: str, asked: str, answer: str) -> None:
    save(LOGIN)
    result = CliRunner().invoke(git_credential, [operation], input=asked)

    assert (result.exit_code, result.output) == (0, answer)


def test_without_a_login_it_says_how_to_get_one() -> None:
    result = CliRunner().invoke(git_credential, ["get"], input="protocol=http\nhost=x\n")

    assert result.exit_code == 1
    assert "Run: haikube login" in result.output


def test_the_saved_login_is_readable_by_its_owner_alone() -> None:
    path = save(LOGIN)

    assert path.stat().st_mode & 0o777 == 0o600
    assert load() == LOGIN


def test_a_damaged_login_names_the_file_and_the_remedy() -> None:
    save(LOGIN)
    login_file().write_text(json.dumps({"api": 1}))
    result = CliRunner().invoke(git_credential, ["get"], input="")

    assert str(login_file()) in result.output
    assert "haikube login" in result.output
