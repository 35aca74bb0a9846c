"""Static sites: a folder of files, and what static.json can say."""

from __future__ import annotations

import http.client
import http.server
import json
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from haikube.build.harness.dyno import booted
from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note
from languages.proof import SLUG_RATIO, build_app, prove, refused

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

LARGE = 40_000_000
Ask = Callable[..., http.client.HTTPResponse]
SETTINGS = {
    "root": "dist/",
    "clean_urls": True,
    "https_only": True,
    "error_page": "404.html",
    "routes": {"/app/**": "index.html"},
    "redirects": {
        "/old/*": {"url": "/team"},
        "/gone": {"url": "https://x.example/", "status": 302},
    },
    "headers": {
        "/**": {
            "X-Frame-Options": "DENY",
            "Content-Security-Policy": "default-src 'self'; a \"b\"",
        },
        "/team*": {"Cache-Control": "max-age=60"},
    },
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site that some other tool has built into dist."""
    app = tmp_path / "app"
    (app / "dist" / "about").mkdir(parents=True)
    for name in ("index", "team", "404", "about/index"):
        (app / "dist" / f"{name}.html").write_text(f"<h1>{name}</h1>")
    (app / "dist" / ".git-credentials").write_text("secret")
    (app / "static.json").write_text(json.dumps(SETTINGS))
    return app


@pytest.fixture
def ask(stage: Stage, site: Path) -> Iterator[Ask]:
    """A function that asks the running site and follows no redirect."""
    built = build_app(stage, site)
    assert built.outcome.succeeded, built.log
    with booted(stage, built.outcome.result, built.processes["web"]) as dyno:
        dyno.get("/")

        def get(path: str, scheme: str = "https") -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection("127.0.0.1", dyno.port, timeout=60)
            connection.request("GET", path, headers={"X-Forwarded-Proto": scheme})
            response = connection.getresponse()
            connection.close()
            return response

        yield get
        assert dyno.stop() == 0


def test_the_end_of_a_dyno_waits_for_downloads(stage: Stage, tmp_path: Path) -> None:
    app = tmp_path / "app"
    (app / "public").mkdir(parents=True)
    (app / "public" / "index.html").write_text("<h1>plain</h1>")
    (app / "public" / "large.bin").write_bytes(bytes(LARGE))
    built = build_app(stage, app)

    with booted(stage, built.outcome.result, built.processes["web"]) as dyno:
        dyno.get("/")
        with socket.create_connection(("127.0.0.1", dyno.port), timeout=60) as reader:
            reader.sendall(b"GET /large.bin HTTP/1.0\r\n\r\n")
            got = len(reader.recv(4096))
            stopping = threading.Timer(0.5, lambda: codes.append(dyno.stop()))
            codes: list[int] = []
            stopping.start()
            time.sleep(1.5)
            while chunk := reader.recv(1 << 20):
                got += len(chunk)
        stopping.join()

    assert got > LARGE
    assert codes == [0]


def test_a_folder_with_an_index(stage: Stage, tmp_path: Path, note: Note) -> None:
    app = tmp_path / "app"
    (app / "public").mkdir(parents=True)
    (app / "public" / "index.html").write_text("<h1>plain</h1>")

    proof = prove(stage, app)

    note("static", proof)
    assert proof.first.processes == {"web": "bin/boot"}
    assert proof.web.status == 200
    assert proof.web.body == "<h1>plain</h1>"
    assert proof.web.exit_code == 0
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO


def test_what_static_json_says(ask: Ask) -> None:
    seen = {
        path: (answer.status, answer.headers.get("Location"))
        for path in ("/", "/team", "/team.html", "/about/", "/app/deep/link", "/none", "/old/a")
        for answer in [ask(path)]
    }

    assert seen == {
        "/": (200, None),
        "/team": (200, None),
        "/team.html": (301, "/team"),
        "/about/": (200, None),
        "/app/deep/link": (200, None),
        "/none": (404, None),
        "/old/a": (301, "/team"),
    }
    assert ask("/gone").status == 302
    assert ask("/gone").headers["Location"] == "https://x.example/"
    assert ask("/team", scheme="http").status == 301


def test_headers_by_path(ask: Ask) -> None:
    home, team = ask("/"), ask("/team")

    assert home.headers["X-Frame-Options"] == "DENY"
    assert home.headers["Content-Security-Policy"] == "default-src 'self'; a \"b\""
    assert "Cache-Control" not in home.headers
    assert team.headers["Cache-Control"] == "max-age=60"
    assert team.headers["Content-Type"] == "text/html; charset=utf-8"


def test_hidden_files_are_not_served(ask: Ask) -> None:
    assert ask("/.git-credentials").status == 404


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('{"root": ', "static.json is not a JSON object:"),
        (
            '{"root": "build"}',
            "The root of static.json is 'build', but the app has no such folder.",
        ),
        ('{"root": "../x"}', "it must be a folder inside the app."),
        ('{"headers": {"/**": {"X": "a$b"}}}', "static.json holds 'a$b': a $ or a line break"),
        ('{"headers": {"/**": {"X Y": "a"}}}', "nginx does not take the configuration made from"),
    ],
)
def test_settings_that_cannot_be(stage: Stage, site: Path, settings: str, message: str) -> None:
    (site / "static.json").write_text(settings)

    assert message in refused(stage, site)


class Origin(http.server.BaseHTTPRequestHandler):
    """Another server, which tells what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = f"{self.path} {self.headers['Host']} {body.decode()}".encode()
        self.send_response(302)
        host = self.headers["Host"]
        self.send_header("Location", f"http://{host}/v1/next")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


def test_a_path_that_another_server_answers_and_a_password(stage: Stage, site: Path) -> None:
    settings = {
        "root": "dist",
        "proxies": {"/api/": {"origin": "http://${ORIGIN}/v1"}},
        "basic_auth": True,
    }
    (site / "static.json").write_text(json.dumps(settings))
    built = build_app(stage, site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin) as origin:
        threading.Thread(target=origin.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{origin.server_port}"
        config = {
            "ORIGIN": address,
            "BASIC_AUTH_USERNAME": "ada",
            "BASIC_AUTH_PASSWORD": "lovelace",
        }
        with booted(stage, built.outcome.result, "bin/boot", config=config) as dyno:
            assert dyno.get("/").status == 401
            connection = http.client.HTTPConnection("127.0.0.1", dyno.port, timeout=10)
            known = {"Authorization": f"Basic {b64encode(b'ada:lovelace').decode()}"}
            connection.request("POST", "/api/a%20b?c=d", b"x" * 2_000_000, known)
            answer = connection.getresponse()
            assert answer.read().decode() == f"/v1/a%20b?c=d {address} {'x' * 2_000_000}"
            assert answer.headers["Location"] == "/api/next"
            connection.request("GET", "/team.html", headers=known)
            assert connection.getresponse().read() == b"<h1>team</h1>"
            connection.close()
            dyno.stop()
        origin.shutdown()


def test_settings_that_are_not_known(stage: Stage, site: Path) -> None:
    (site / "static.json").write_text('{"root": "dist", "logging": {"format": "$x"}}')

    log = build_app(stage, site).log

    assert "static.json has settings that are not known here and do nothing: logging." in log
