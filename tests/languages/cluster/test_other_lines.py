"""A second line of languages whose first is in the other files: from another suite, on the cluster.

The apps are small. What they use of C libraries is seen in ``tests/buildpacks/test_runtimes.py``.
"""

from __future__ import annotations

import pytest

import sample_apps
from buildpacks import locks
from languages.cluster.conftest import Live
from languages.conftest import copy_sample
from languages.journey import CacheSign
from terminal import Make

RUBY = {
    "Gemfile": "",
    "Gemfile.lock": "GEM\n  specs:\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n\n"
    "RUBY VERSION\n   ruby 3.1.2p20\n",
    "Procfile": "web: ruby app.rb\n",
    "app.rb": r"""
require "socket"
server = TCPServer.new("0.0.0.0", ENV.fetch("PORT").to_i)
loop do
  client = server.accept
  nil until client.gets.to_s.strip.empty?
  client.write "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nRuby #{RUBY_VERSION}"
  client.close
end
""",
}
PHP = {
    "index.php": "<?php echo PHP_VERSION;\n",
    "composer.json": '{"require": {"php": "~8.2.0"}}\n',
}


def test_python_3_14(workspace: Make, live: Live) -> None:
    app = workspace("pythonnew")
    sample_apps.plain(app.folder, "3.14")
    (app.folder / ".python-version").write_text("3.14\n")

    journey = live("python 3.14", app, CacheSign(reused="Using cached install of Python 3.14"))

    assert "from the suite sid" in journey.first.log
    assert journey.body == "3.14 web.1"


def test_java_17(workspace: Make, live: Live) -> None:
    app = workspace("javaold")
    copy_sample("java/plain", app.folder)
    (app.folder / "system.properties").write_text("java.runtime.version=17\n")

    journey = live("java 17", app, CacheSign(once="Fetching OpenJDK 17"))

    assert journey.body == "Java 17, SQLite 3.46.1"


def test_nodejs_22(workspace: Make, live: Live) -> None:
    app = workspace("nodeold")
    sample_apps.express(app.folder)
    text = (app.folder / "package.json").read_text()
    engines = '{\n  "engines": {"node": "22.x"},'
    (app.folder / "package.json").write_text(text.replace("{", engines, 1))
    locks.npm_lock(app.folder)

    sign = CacheSign(reused="Restored from the cache: the lock file has not changed")
    journey = live("nodejs 22", app, sign)

    assert "Downloading and installing node 22." in journey.first.log
    assert "Welcome to Express" in journey.body


@pytest.mark.parametrize(
    ("name", "files", "reused", "body"),
    [
        ("ruby 3.1", RUBY, "Using Ruby 3.1", "Ruby 3.1."),
        ("php 8.2", PHP, "Using PHP 8.2", "8.2."),
    ],
)
def test_from_bookworm(
    workspace: Make, live: Live, name: str, files: dict[str, str], reused: str, body: str
) -> None:
    app = workspace(name.split(maxsplit=1)[0] + "old")
    for path, text in files.items():
        app.write(path, text)

    journey = live(name, app, CacheSign(reused=reused))

    assert "from the suite bookworm" in journey.first.log
    assert journey.body.startswith(body)
