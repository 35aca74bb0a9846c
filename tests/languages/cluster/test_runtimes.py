"""A Ruby that no suite has: made by the platform, stored, named by the Stack, fetched by a build.

The release is a stand-in that is compiled in a second, and runs no app: what a real one is worth
is seen in ``tests/buildpacks/test_compiled.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from buildpacks.test_made import release
from fileserver import file_server
from terminal import Make, Person

VERSION = "3.4.7"
APP = {
    "Gemfile": 'source "https://rubygems.org"\n',
    "Gemfile.lock": "GEM\n  remote: https://rubygems.org/\n  specs:\n\nPLATFORMS\n  ruby\n\n"
    f"DEPENDENCIES\n\nRUBY VERSION\n   ruby {VERSION}\n",
}


@pytest.fixture
def made(person: Person, tmp_path: Path) -> Iterator[str]:
    """Have the platform make it; yields what the administrator read."""
    release(tmp_path / "pub", VERSION)
    with file_server(person) as server:
        server.fill(tmp_path / "pub")
        words = ("runtimes", "add", "ruby", VERSION, "--mirror", server.url)
        yield person.haikube(*words).stdout
    nothing = json.dumps({"spec": {"runtimes": None}})
    person.kubectl("patch", "stack", "debian-13", "--type=merge", "-p", nothing)


def test_a_runtime_is_made_once_and_fetched_by_builds(
    made: str, person: Person, workspace: Make
) -> None:
    assert f"-----> Compiling Ruby {VERSION}" in made
    assert f"ruby {VERSION} is there for every build on debian-13" in made
    assert f"ruby    {VERSION}    made from source" in person.haikube("runtimes", "list").stdout
    app = workspace("made")
    for name, text in APP.items():
        (app.folder / name).write_text(text)
    app.commit("first")
    with app.start_push() as push:
        assert push.stdout is not None
        log = push.stdout.read()

    assert f"-----> Installing Ruby {VERSION}" in log
    assert "It comes from the platform, which made it from its source" in log
    person.haikube("destroy", app.app, "--confirm", app.app)
