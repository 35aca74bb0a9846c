"""What a person reads when something between the CLI and the platform is not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heroku.person import Ada, logged_in
from heroku.steps import holds
from terminal import GATEWAY, eventually

HERE = f"http://api.localhost:{GATEWAY[1]}"
NOWHERE = "http://api.localhost:9"


@contextmanager
def profile(ada: Ada, name: str, **changes: str) -> Iterator[dict[str, str]]:
    """Make a profile like Ada's own with some values changed, and run its bridge."""
    folder = ada.home / ".config" / "haikube" / "platforms"
    values = json.loads((folder / "default.json").read_text())
    port = values["port"] + 50
    values |= {"port": port, "kubeconfig": "", "grant": "", **changes}
    (folder / f"{name}.json").write_text(json.dumps(values))
    netrc = ada.home / ".netrc"
    before = netrc.read_text()
    entry = f"machine localhost:{port} login ada password {values['key']}\n"
    netrc.write_text(before + entry)
    ada.must("haikube", "connect", "--profile", name)
    try:
        yield {"HEROKU_HOST": f"http://localhost:{port}"}
    finally:
        ada.must("haikube", "connect", "--stop", "--profile", name)
        (folder / f"{name}.json").unlink()
        netrc.write_text(before)


@pytest.mark.parametrize("command", ["apps", "ps -a {app}", "auth:whoami"])
def test_a_platform_that_is_away_is_named(ada: Ada, command: str) -> None:
    with profile(ada, "away", api=NOWHERE) as env:
        said = ada.run("heroku", *command.format_map(ada.names).split(), env=env)
    assert said.code == 2
    assert holds(said.err, f"{NOWHERE} does not answer")
    assert holds(said.err, "See: haikube doctor")


@pytest.mark.parametrize("command", ["apps", "auth:whoami", "config:set A=b -a {app}"])
def test_a_token_that_is_over_is_named(ada: Ada, command: str) -> None:
    with profile(ada, "over", api=HERE, token="expired") as env:
        said = ada.run("heroku", *command.format_map(ada.names).split(), env=env)
    assert said.code == 2
    assert holds(said.err, "it expired or was revoked. Run: haikube login")


def test_a_bridge_that_does_not_run_is_found_by_the_doctor(ada: Ada) -> None:
    env = {"HEROKU_HOST": "http://localhost:9"}
    said = ada.run("heroku", "apps", env=env)
    assert said.code != 0
    assert "ECONNREFUSED" in said.err
    said = ada.run("haikube", "doctor", env=env)
    assert said.code == 1
    assert "this shell lacks HEROKU_HOST" in said.out


def test_the_doctor_finds_nothing_where_all_is_well(ada: Ada) -> None:
    said = ada.run("haikube", "doctor")
    assert said.code == 0, said.out
    assert "✗" not in said.out


@pytest.mark.parametrize(
    ("command", "words", "code"),
    [
        ("auth:whoami", "not logged in", 100),
        ("apps:info -a {app}", "Not logged in", 2),
    ],
)
def test_who_is_not_logged_in_is_told(
    ada: Ada, tmp_path: Path, command: str, words: str, code: int
) -> None:
    env = {"HOME": str(tmp_path)}
    said = ada.run("heroku", *command.format_map(ada.names).split(), env=env)
    assert (said.code, holds(said.err + said.out, words)) == (code, True), said.err


def test_haikube_heroku_needs_no_variables(ada: Ada) -> None:
    bare = {
        name: value for name, value in ada.environment.items() if not name.startswith("HEROKU_")
    }
    said = Ada(ada.home, bare).run("haikube", "heroku", "auth:whoami")
    assert (said.code, said.out.strip()) == (0, ada.names["email"])


def test_logout_ends_the_token_at_once(tmp_path: Path) -> None:
    with logged_in(tmp_path) as other:
        saved = tmp_path / ".config" / "haikube" / "platforms" / "default.json"
        token = json.loads(saved.read_text())["token"]
        assert _authenticated(other, token)
    eventually(lambda: not _authenticated(other, token), "the end of the token", 60)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and ".config" in path.parts]
    assert {path.name for path in left} <= {"git-ca.pem", "node-ca.pem"}, "for open shells"


def _authenticated(ada: Ada, token: str) -> bool:
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token},
    }
    said = ada.run("kubectl", "create", "-o", "json", "-f", "-", stdin=json.dumps(review))
    assert said.code == 0, said.err
    return bool(json.loads(said.out)["status"].get("authenticated"))
