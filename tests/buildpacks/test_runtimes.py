"""Runtimes from every suite of the distribution: built, and answering on the run image."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from buildpacks.theatre import Theatre
from languages.mirrors.gems import gem_mirror
from languages.mirrors.served import served

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


RUBY_LOCK = """GEM
  remote: https://rubygems.org/
  specs:
    bcrypt (3.1.20)

PLATFORMS
  ruby

DEPENDENCIES
  bcrypt

RUBY VERSION
   ruby {line}.9
"""
RUBY_APP = {
    "Gemfile": 'source "https://rubygems.org"\ngem "bcrypt"\n',
    "Procfile": "web: bundle exec ruby app.rb\n",
    "app.rb": r"""
require "socket"
require "openssl"
require "yaml"
require "bcrypt"

ruby = RUBY_VERSION[/\d+\.\d+/]
openssl = OpenSSL::OPENSSL_LIBRARY_VERSION[/\w+/]
bcrypt = BCrypt::Password.create("x") == "x"
SAID = "#{ruby} #{openssl} #{YAML.load("yaml")} #{bcrypt} #{`curl --version`[0, 4]}"

server = TCPServer.new("0.0.0.0", ENV.fetch("PORT").to_i)
loop do
  client = server.accept
  nil until client.gets.to_s.strip.empty?
  client.write "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n#{SAID}"
  client.close
end
""",
}


def without_gems(files: Mapping[str, str]) -> dict[str, str]:
    """Return the app as a Bundler takes it that is too old for the index of the mirror."""
    lock = files["Gemfile.lock"].replace("    bcrypt (3.1.20)\n", "").replace("  bcrypt\n", "")
    program = files["app.rb"].replace('require "bcrypt"\n', "")
    program = program.replace('BCrypt::Password.create("x") == "x"', "true")
    return {**files, "Gemfile": "", "Gemfile.lock": lock, "app.rb": program}


@pytest.fixture(scope="module")
def gems() -> Iterator[str]:
    with served(gem_mirror()) as url:
        yield url


@pytest.mark.parametrize(("line", "suite"), [("2.7", "bullseye"), ("3.1", "bookworm")])
def test_ruby_from_another_suite(theatre: Theatre, gems: str, line: str, suite: str) -> None:
    theatre.config = {"BUNDLE_MIRROR__ALL": gems}
    files = {**RUBY_APP, "Gemfile.lock": RUBY_LOCK.format(line=line)}
    built = theatre.build(without_gems(files) if line == "2.7" else files).succeeded()

    assert f" !     Ruby {line}.9 is not available, the stack debian-13 has {line}." in built.log
    assert f"-----> Installing Ruby {line}." in built.log
    assert f"       It comes {BESIDE.format(suite)}\n" in built.log
    assert f" !     Ruby {line} had its end of life in" in built.log
    compiled = "Installing bcrypt 3.1.20 with native extensions" in built.log
    assert compiled == (line != "2.7")
    with theatre.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body.decode() == f"{line} OpenSSL yaml true curl"
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


def scratch(theatre: Theatre, path: str) -> Path:
    """Return a place in what the last build left of its scratch folder."""
    return theatre.stage.workspace / "build" / "build" / path


def test_java_from_a_mirror_of_its_upstream(theatre: Theatre, tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "java" / "plain", theatre.app, dirs_exist_ok=True)
    theatre.write({"system.properties": "java.runtime.version=21\n"})
    theatre.build().succeeded()
    folder = tmp_path / "temurin" / "assets" / "latest" / "22"
    folder.mkdir(parents=True)
    archive = folder / "jdk.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(scratch(theatre, "cache/jvm/jdk"), arcname="jdk-22.0.2+9")
    theatre.write({"system.properties": "java.runtime.version=22\n"})
    with served(tmp_path / "temurin") as url:
        theatre.config = {"BUILDPACK_JAVA_MIRROR": url}
        package = {"link": f"{url}/assets/latest/22/jdk.tar.gz", "checksum": "0" * 64}
        answer = {
            "release_name": "jdk-22.0.2+9",
            "version": {"openjdk_version": "22.0.2+9"},
            "binary": {"package": package},
        }
        (folder / "hotspot").write_text(json.dumps([answer]))
        damaged = theatre.build().failed()
        package["checksum"] = hashlib.sha256(archive.read_bytes()).hexdigest()
        (folder / "hotspot").write_text(json.dumps([answer]))
        built = theatre.build().succeeded()

    assert "sha256 of jdk.archive.part is " in damaged
    assert " !     The JDK could not be fetched from Eclipse Temurin (see above)." in damaged
    assert "       Using jdk-22.0.2+9 of Eclipse Temurin\n" in built.log
    with theatre.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body.decode() == "Java 21, SQLite 3.46.1"


def without_absolute_links(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what leads out of the archive: upstream has nothing of the kind."""
    return None if member.issym() and member.linkname.startswith("/") else member


def test_python_from_a_mirror_of_its_upstream(theatre: Theatre, tmp_path: Path) -> None:
    files = {"requirements.txt": "", "Procfile": "web: x\n", ".python-version": "3.11\n"}
    made = theatre.build(files).succeeded()
    version = re.findall(r"Installing Python (3\.11\.\d+)", made.log)[0]
    runtime = scratch(theatre, "src/.heroku/python/runtime/usr")
    (runtime / "bin" / "python3").symlink_to("python3.11")
    archive = tmp_path / f"cpython-{version}-x86_64-unknown-linux-gnu-install_only.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(runtime, arcname="python", filter=without_absolute_links)
    with served(tmp_path) as url:
        entry = {
            "name": "cpython",
            "arch": {"family": "x86_64", "variant": None},
            "os": "linux",
            "libc": "gnu",
            "major": 3,
            "minor": 11,
            "patch": int(version.split(".")[2]),
            "prerelease": "",
            "url": f"{url}/{archive.name}",
            "variant": None,
            "build": "1",
            "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        }
        listed = {f"cpython-{version}-linux-x86_64-gnu": entry}
        (tmp_path / "downloads.json").write_text(json.dumps(listed))
        theatre.config = {
            "BUILDPACK_PYTHON_SOURCE": "upstream",
            "UV_PYTHON_DOWNLOADS_JSON_URL": f"{url}/downloads.json",
        }
        built = theatre.build().succeeded()
        theatre.write({".python-version": "3.12\n"})
        missing = theatre.build().failed()

    assert "       It comes from python-build-standalone, by uv\n" in built.log
    assert theatre.run(built.outcome.result, "python -V") == f"Python {version}\n"
    assert " !     Python 3.12 could not be installed (see above)." in missing
    assert "Without them there are 3.9, 3.11, 3.13, 3.14:" in missing
    assert "write 3.13 to .python-version" in missing
