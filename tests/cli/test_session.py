"""Logging in and out: what changes, what does not when it fails, and that all of it is undone."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.platform_double import EMAIL, TOKEN, Double, platform
from haikube.bridge import running
from haikube.bridge.authority import authority_file
from haikube.bridge.profile import all_logins, load, login_file
from haikube.cli import environment
from haikube.cli.main import main
from haikube.cli.netrc import password
from haikube.cli.session import _api


@pytest.fixture
def double() -> Iterator[Double]:
    with platform() as standing:
        yield standing


@pytest.fixture(autouse=True)
def _no_bridge_stays() -> Iterator[None]:
    yield
    for _, login in all_logins():
        running.stop(login)


def haikube(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def log_in(double: Double, home: Path, *words: str, token: str = TOKEN) -> Result:
    file = home / "token"
    file.write_text(f"{token}\n")
    return haikube("login", double.url, "--token-file", str(file), *words)


def snapshot(home: Path) -> dict[str, bytes]:
    """Return everything that a login may write; the bridge's log is not a setting."""
    return {
        str(path): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and path.name != "token" and ".state" not in path.parts
    }


def git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout


def test_a_login_starts_the_bridge_and_a_logout_leaves_nothing(double: Double, home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n")
    (home / ".netrc").write_text("machine example.org login a password b")
    before = snapshot(home)

    result = log_in(double, home)
    assert result.exit_code == 0, result.output
    assert f"Logged in to {double.url} as {EMAIL}" in result.output
    login = load("default")
    for named in (".netrc", ".gitconfig", "authority", f"bridge on localhost:{login.port}"):
        assert named in result.output
    assert running.answering(login)
    assert password(login.bridge) == login.key
    assert (home / ".netrc").stat().st_mode & 0o777 == 0o644
    assert TOKEN not in (home / ".netrc").read_text()

    url = f"https://{login.bridge}"
    assert "!haikube git-credential" in git("config", "--get-urlmatch", "credential.helper", url)
    assert git("config", "--global", "--get", f"credential.{url}.helper").strip() == (
        "!heroku git:credentials"
    ), "the Heroku CLI would write its own"

    result = haikube("logout")
    assert result.exit_code == 0, result.output
    assert running.answering(login) is None
    left = snapshot(home)
    assert left.pop(str(home / ".netrc")) == b"machine example.org login a password b\n"
    before.pop(str(home / ".netrc"))
    assert left == before


@pytest.mark.parametrize("name", ["NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"])
def test_a_shell_that_is_open_outlives_a_logout_and_the_next_login(
    double: Double, home: Path, name: str
) -> None:
    corporate = home / "corporate.pem"
    corporate.write_text("-----CORPORATE-----\n")
    assert log_in(double, home).exit_code == 0
    said = environment.variables(load("default"), "default", {name: str(corporate)})
    bundle, former = Path(said[name]), authority_file().read_text()

    assert haikube("logout").exit_code == 0
    assert "CORPORATE" in bundle.read_text()
    assert former not in bundle.read_text()

    assert log_in(double, home).exit_code == 0
    assert "CORPORATE" in bundle.read_text()
    assert authority_file().read_text() in bundle.read_text()
    assert haikube("logout").exit_code == 0


def test_a_login_that_fails_leaves_one_that_works(double: Double, home: Path) -> None:
    assert log_in(double, home).exit_code == 0
    before = snapshot(home)

    result = log_in(double, home, token="wrong")
    assert result.exit_code == 1
    assert "no such token" in result.output
    assert snapshot(home) == before
    assert running.answering(load("default"))


def test_a_first_login_that_fails_writes_nothing(double: Double, home: Path) -> None:
    result = log_in(double, home, token="wrong")
    assert result.exit_code == 1
    assert snapshot(home) == {}


def test_a_bridge_that_cannot_start_undoes_the_login(
    double: Double, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_SECONDS", 0.2)  # who listens there says nothing
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n")
    before = snapshot(home)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.settimeout(0)
        port = taken.getsockname()[1]
        result = log_in(double, home, "--port", str(port))
    assert result.exit_code == 1
    assert "Nothing was changed" in result.output
    assert snapshot(home) == before


def test_a_port_that_is_taken_in_the_same_moment_is_left_to_the_other(
    double: Double, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform() as stranger:
        taken = int(stranger.url.rpartition(":")[2])
        honest, asked = running.free_port, iter([taken])
        monkeypatch.setattr(
            running, "free_port", lambda *words: next(asked, None) or honest(*words)
        )
        result = log_in(double, home)
        assert result.exit_code == 0, result.output
        assert load("default").port > taken
        assert f":{taken}" not in (home / ".netrc").read_text()


def test_two_platforms_stand_side_by_side(double: Double, home: Path) -> None:
    assert log_in(double, home).exit_code == 0
    with platform() as other:
        result = log_in(other, home, "--profile", "work")
        assert result.exit_code == 0, result.output
        one, two = load("default"), load("work")
        assert one.port != two.port
        assert one.key != two.key
        assert running.answering(one)
        assert running.answering(two)
        clash = log_in(other, home, "--profile", "third", "--port", str(one.port))
        assert "belongs to the profile default" in clash.output

        assert haikube("logout").exit_code == 0
        assert running.answering(two)
        assert password(two.bridge) == two.key
        assert f"https://{two.bridge}" in (home / ".gitconfig").read_text()
        assert f"https://{one.bridge}" not in (home / ".gitconfig").read_text()
        assert haikube("logout", "--profile", "work").exit_code == 0


def test_helpers_of_earlier_versions_leave_gits_configuration(double: Double, home: Path) -> None:
    for key, value in (
        ("credential.http://api.localhost:8080.helper", ""),
        ("credential.http://api.localhost:8080.helper", "!haikube git-credential"),
        ("credential.https://github.com.helper", "store"),
    ):
        git("config", "--global", "--add", key, value)
    legacy = home / ".config" / "haikube" / "login.json"
    legacy.parent.mkdir(parents=True)
    legacy.write_text("{}")

    assert log_in(double, home, "--no-bridge").exit_code == 0
    assert not legacy.exists()
    text = (home / ".gitconfig").read_text()
    assert "api.localhost" not in text
    assert "store" in text
    assert load("default").port == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.example.com", "read your token"),
        ("http://10.0.0.1:8080", "read your token"),
        ("http://localhost.example.com", "read your token"),
        ("ftp://api.example.com", "no URL"),
        ("https://", "no URL"),
        ("https://me:secret@api.example.com", "no URL"),
        ("https://api.example.com/path", "no URL"),
    ],
)
def test_a_url_that_cannot_be_right_is_refused_before_anything(
    home: Path, url: str, said: str
) -> None:
    (home / "token").write_text("t")
    result = haikube("login", url, "--token-file", str(home / "token"))
    assert result.exit_code == 1
    assert said in result.output
    assert snapshot(home) == {}


def test_a_kubeconfig_that_is_not_there_is_named(home: Path) -> None:
    result = haikube("login", "--kubeconfig", str(home / "nowhere"))
    assert result.exit_code == 1
    assert str(home / "nowhere") in result.output
    assert "--kubeconfig FILE" in result.output


@pytest.mark.parametrize("command", ["env", "connect", "logout", "whoami", "heroku"])
def test_without_a_login_every_command_says_how_to_get_one(
    home: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "heroku").write_text("#!/bin/sh\n")
    (home / "heroku").chmod(0o755)
    monkeypatch.setenv("PATH", str(home))
    result = haikube(command)
    assert result.exit_code == 1
    assert "not logged in. Run: haikube login" in result.output


def test_the_key_is_not_shown_to_another_program_on_the_port(double: Double, home: Path) -> None:
    assert log_in(double, home).exit_code == 0
    login = load("default")
    running.stop(login)
    with platform() as stranger:
        port = int(stranger.url.rpartition(":")[2])
        login_file("default").write_text(
            login_file("default").read_text().replace(str(login.port), str(port))
        )
        result = haikube("env")
        assert result.exit_code == 1
        assert f"another program listens on port {port}" in result.output
        assert login.key not in str(stranger.asked)
    login_file("default").unlink()


def test_connect_starts_and_stops(double: Double, home: Path) -> None:
    assert log_in(double, home).exit_code == 0
    assert "runs already" in haikube("connect").output
    assert "has stopped" in haikube("connect", "--stop").output
    assert "does not run" in haikube("connect", "--stop").output
    assert "runs now" in haikube("connect").output


def test_the_doctor_names_what_is_wrong_with_its_remedy(double: Double, home: Path) -> None:
    assert "→ haikube login" in haikube("doctor").output
    assert log_in(double, home).exit_code == 0
    login = load("default")

    running.stop(login)
    said = haikube("doctor").output
    assert f"✗ no bridge on {login.bridge}\n    → haikube connect" in said
    assert "this shell lacks HEROKU_HOST" in said
    assert f"takes you for {EMAIL}" in said

    assert haikube("connect").exit_code == 0
    (home / ".netrc").unlink()
    said = haikube("doctor")
    assert "lacks the key" in said.output
    assert said.exit_code == 1


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("api.localhost:8080", "http://api.localhost:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("api.apps.example.com", "https://api.apps.example.com"),
        ("https://api.localhost:8443/", "https://api.localhost:8443"),
    ],
)
def test_a_url_without_a_scheme_means_what_can_be_meant(given: str, wanted: str) -> None:
    assert _api(given, insecure=False) == wanted


def test_a_gateway_without_an_api_behind_it_says_that_it_may_be_starting(home: Path) -> None:
    with answering(503, b"no available server\n") as url:
        (home / "token").write_text(TOKEN)
        said = haikube("login", url, "--token-file", str(home / "token"))

    assert said.exit_code == 1
    assert "no api answers at" in said.output
    assert "If the platform is starting, wait a moment" in said.output


@contextmanager
def answering(status: int, text: bytes) -> Iterator[str]:
    """Answer everything so, as a gateway does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
