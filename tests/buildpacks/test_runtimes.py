"""Runtimes from every suite of the distribution: built, and answering on the run image."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from buildpacks.theatre import Theatre

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

SAMPLES = Path(__file__).parents[1] / "languages"
BESIDE = "from the suite {} of the stack's distribution, beside the stack's own"

PYTHON_APP = {
    # lxml is a wheel with C libraries in it, psycopg2 is compiled here against one of the stack
    "requirements.txt": "lxml==6.1.3\npsycopg2==2.9.12\n",
    "Procfile": "web: python app.py\n",
    "app.py": """
import ctypes, decimal, http.server, os, sqlite3, ssl, subprocess, sys
import lxml.etree, psycopg2
curl = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
pq = psycopg2.__libpq_version__ // 10000
said = f"{sys.version_info[:2]} lxml {lxml.etree.LXML_VERSION[0]} pq {pq} {curl[:4]}"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(said.encode())
http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
""",
}


@pytest.mark.parametrize(
    ("line", "suite"), [("3.9", "bullseye"), ("3.11", "bookworm"), ("3.14", "sid")]
)
def test_python_from_another_suite(theatre: Theatre, line: str, suite: str) -> None:
    built = theatre.build({**PYTHON_APP, ".python-version": line}).succeeded()

    assert f"-----> Installing Python {line}." in built.log
    assert f"       It comes {BESIDE.format(suite)}\n" in built.log
    ended = f" !     Python {line} had its end of life in 2025-10"
    assert (ended in built.log) == (line == "3.9")
    with theatre.boot(built.outcome.result, built.processes["web"]) as dyno:
        major, minor = line.split(".")
        assert dyno.get().body.decode() == f"({major}, {minor}) lxml 6 pq 17 curl"
    assert f"Using cached install of Python {line}." in theatre.build().succeeded().log


@pytest.mark.parametrize(
    ("line", "suite"),
    [("8", "sid"), ("11", "bullseye"), ("17", "bookworm"), ("26", "sid")],
)
def test_java_from_another_suite(theatre: Theatre, line: str, suite: str) -> None:
    shutil.copytree(SAMPLES / "java" / "plain", theatre.app, dirs_exist_ok=True)
    theatre.write({"system.properties": f"java.runtime.version={line}\n"})
    built = theatre.build().succeeded()

    assert f"       Using OpenJDK {line}" in built.log
    assert BESIDE.format(suite) in built.log
    with theatre.boot(built.outcome.result, built.processes["web"]) as dyno:
        shown = {"8": "1.8"}.get(line, line)
        assert dyno.get().body.decode() == f"Java {shown}, SQLite 3.46.1"


RUBY_LOCK = """PATH
  remote: demo
  specs:
    demo (1)

GEM
  specs:

PLATFORMS
  ruby

DEPENDENCIES
  demo!

RUBY VERSION
   ruby {line}.9
"""


@pytest.mark.parametrize(("line", "suite"), [("2.7", "bullseye"), ("3.1", "bookworm")])
def test_ruby_from_another_suite(theatre: Theatre, line: str, suite: str) -> None:
    shutil.copytree(SAMPLES / "ruby" / "extension", theatre.app, dirs_exist_ok=True)
    built = theatre.build({"Gemfile.lock": RUBY_LOCK.format(line=line)}).succeeded()

    assert f" !     Ruby {line}.9 is not available, the stack debian-13 has {line}." in built.log
    assert f"-----> Installing Ruby {line}." in built.log
    assert f"       It comes {BESIDE.format(suite)}\n" in built.log
    assert f" !     Ruby {line} had its end of life in" in built.log
    with theatre.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body.decode() == f"{line} OpenSSL yaml pq 17 curl"
    assert f"Using Ruby {line}." in theatre.build().succeeded().log


PHP_APP = {
    "Procfile": "web: heroku-php-nginx\n",
    "index.php": "<?php $image = imagecreatetruecolor(3, 3); imagewebp($image, '/tmp/x.webp');"
    " echo PHP_MAJOR_VERSION, '.', PHP_MINOR_VERSION, ' ', filesize('/tmp/x.webp') > 0,"
    " ' ', pg_escape_string(\"it's\"), ' ', substr(`curl -V`, 0, 4);",
}


@pytest.mark.parametrize(
    ("wanted", "line", "suite"), [("^7.4", "7.4", "bullseye"), (">=7.4 <8.4", "8.2", "bookworm")]
)
def test_php_from_another_suite(theatre: Theatre, wanted: str, line: str, suite: str) -> None:
    required = {"php": wanted, "ext-gd": "*", "ext-pgsql": "*"}
    files = {**PHP_APP, "composer.json": json.dumps({"require": required})}
    built = theatre.build(files).succeeded()

    assert f"       The app wants PHP {wanted}\n-----> Installing PHP {line}." in built.log
    assert f"       It comes {BESIDE.format(suite)}\n" in built.log
    assert (" !     PHP 7.4 had its end of life in 2022-11" in built.log) == (line == "7.4")
    for server in ("nginx", "apache2"):
        with theatre.boot(built.outcome.result, f"heroku-php-{server}") as dyno:
            assert dyno.get().body.decode() == f"{line} 1 it''s curl"
    assert f"Using PHP {line}." in theatre.build().succeeded().log
