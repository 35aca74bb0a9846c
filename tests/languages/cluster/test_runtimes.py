"""A Ruby that no suite has: made by the platform from its source, then fetched by a build."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fileserver import file_server
from languages.cluster.conftest import Live
from languages.journey import POLITE, CacheSign
from languages.mirrors.gems import gem_mirror
from languages.mirrors.releases import RUBY, ruby_mirror
from languages.mirrors.served import served
from languages.ruby import apps
from terminal import Make, Person

COMPILED = 1000
"""Seconds that compiling Ruby may take on a small machine."""


@pytest.fixture
def made(person: Person) -> Iterator[str]:
    """Have the platform make it; yields what the administrator read."""
    with file_server(person) as server:
        server.fill(ruby_mirror())
        words = ("runtimes", "add", "ruby", RUBY, "--mirror", server.url)
        done = subprocess.run(
            [sys.executable, "-m", "haikube.cli", *words],
            env=person.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=COMPILED,
        )
    assert done.returncode == 0, done.stdout
    yield done.stdout
    nothing = json.dumps({"spec": {"runtimes": None}})
    person.kubectl("patch", "stack", "debian-13", "--type=merge", "-p", nothing)


def test_a_ruby_made_from_source(made: str, person: Person, workspace: Make, live: Live) -> None:
    assert f"-----> Compiling Ruby {RUBY}" in made
    assert f"ruby {RUBY} is there for every build on debian-13" in made
    assert f"{RUBY}   made from source" in person.haikube("runtimes", "list").stdout
    with served(gem_mirror()) as here, file_server(person) as server:
        server.fill(gem_mirror())
        app = workspace("made")
        apps.sinatra(app.folder, here)
        with (app.folder / "Gemfile.lock").open("a") as lock:
            lock.write(f"\nRUBY VERSION\n   ruby {RUBY}p1\n")
        app.configure({"BUNDLE_MIRROR__ALL": server.url})
        sign = CacheSign(reused="Using the gems of the last build")
        journey = live("ruby made", app, sign, polite=POLITE | {apps.PUMA_DEADLOCK})

    assert f"-----> Installing Ruby {RUBY}\n" in journey.first.log.replace("remote: ", "")
    assert "It comes from the platform, which made it from its source" in journey.first.log
    assert journey.body == "Sinatra on web.1 in production"
