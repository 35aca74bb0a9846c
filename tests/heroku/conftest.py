"""Ada, logged in once in each worker, and one app that she pushed: most scenarios look at it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from heroku.person import Ada, logged_in
from terminal import GATEWAY

_PROCFILE = "web: npm start\nqueue: node queue.js\n"
_PACKAGE = '{"name": "hello", "engines": {"node": "22.x"}, "scripts": {"start": "node web.js"}}\n'
_WEB = """
if (process.env.DIE_AT_START) process.exit(1)
const answer = (q, a) => {
  if (q.url.startsWith("/die")) q.socket.destroy()
  else if (!q.url.startsWith("/late")) a.end("hello\\n")
}
require("http").createServer(answer).listen(process.env.PORT)
"""
_QUEUE = 'process.on("SIGTERM", () => process.exit()); setInterval(() => {}, 1e6)\n'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is not about the page alone needs the cluster and the Heroku CLI."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.path.name != "test_page.py":
            item.add_marker(pytest.mark.heroku)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ada]:
    """Return a logged-in person with a pushed app; everything she made is gone afterwards."""
    with logged_in(tmp_path_factory.mktemp("ada")) as person:
        suffix = secrets.token_hex(3)
        person.names |= {
            "app": f"hello-{suffix}",
            "new": f"new-{suffix}",
            "renamed": f"renamed-{suffix}",
            "suffix": suffix,
            "home": str(person.home),
            "port": str(GATEWAY[1]),
            "team": "default",
            "email": person.must("haikube", "whoami").strip(),
            "bridge": person.environment["HEROKU_HOST"].removeprefix("http://"),
        }
        _write_files(person)
        _push(person, person.names["app"])
        yield person
        for app in (person.names["app"], person.names["new"], person.names["renamed"]):
            person.run("heroku", "apps:destroy", "-a", app, "--confirm", app)


@pytest.fixture
def checkout(ada: Ada, tmp_path: Path) -> Path:
    """Return a git repository that no app belongs to."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    ada.must("git", "init", "-q", cwd=folder)
    return folder


def _write_files(ada: Ada) -> None:
    key = ada.home / "key"
    ada.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    ada.must(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "30", "-subj", "/CN=secure.example.com"),
        *("-addext", "subjectAltName=DNS:secure.example.com"),
        *("-keyout", str(ada.home / "tls.key"), "-out", str(ada.home / "tls.crt")),
    )


def _push(ada: Ada, app: str) -> None:
    folder = ada.home / app
    folder.mkdir()
    files = {"Procfile": _PROCFILE, "package.json": _PACKAGE, "web.js": _WEB, "queue.js": _QUEUE}
    for name, text in files.items():
        (folder / name).write_text(text)
    ada.must("git", "init", "-q", cwd=folder)
    ada.must("git", "add", ".", cwd=folder)
    ada.must("git", "commit", "-qm", "hello", cwd=folder)
    ada.must("heroku", "create", app, cwd=folder)
    said = ada.run("git", "push", "heroku", "main", cwd=folder)
    assert said.code == 0, said.err
    assert "deployed to" in said.err
