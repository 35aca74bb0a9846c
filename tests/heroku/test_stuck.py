"""A release whose dynos do not start: what still answers and what fails are both to be seen."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from heroku.person import Ada
from terminal import eventually


@pytest.fixture
def stuck(ada: Ada) -> Iterator[str]:
    """Give her app a config var that its web process dies of; return the release before."""
    before = version(ada)
    ada.must("heroku", "config:set", "DIE_AT_START=1", "-a", ada.names["app"])
    yield before
    ada.must("heroku", "config:unset", "DIE_AT_START", "-a", ada.names["app"])
    eventually(lambda: states(ada) == {"web.1": f"up {version(ada)}"}, "the app as it was")


def version(ada: Ada) -> str:
    said = ada.must("heroku", "releases:info", "--json", "-a", ada.names["app"])
    return f"v{json.loads(said)['version']}"


def states(ada: Ada) -> dict[str, str]:
    """Return what `heroku ps` says of each web dyno: its state and release."""
    said = json.loads(ada.must("heroku", "ps", "--json", "-a", ada.names["app"]))
    return {
        each["name"]: f"{each['state']} v{each['release']['version']}"
        for each in said
        if each["type"] == "web"
    }


def uid(ada: Ada, name: str) -> str:
    said = json.loads(ada.must("heroku", "ps", "--json", "-a", ada.names["app"]))
    return str(next((each["id"] for each in said if each["name"] == name), ""))


def test_what_answers_and_what_crashes_are_two_dynos_of_two_names(ada: Ada, stuck: str) -> None:
    app, new = ada.names["app"], version(ada)
    crashed = f"web.1.{new}"
    wanted = {"web.1": f"up {stuck}", crashed: f"crashed {new}"}
    eventually(lambda: states(ada) == wanted, "both dynos")
    said = ada.must("heroku", "ps", "-a", app)
    assert "web.1: up" in said
    assert f"{crashed}: crashed" in said
    serving, failing = uid(ada, "web.1"), uid(ada, crashed)

    assert f"Current: {new}" in ada.must("heroku", "releases", "-a", app)
    assert "web=1:Basic" in ada.must("heroku", "ps:scale", "-a", app)
    logged = ada.must("heroku", "logs", "-a", app, "--dyno-name", crashed)
    assert "heroku[web.1]: State changed from up to crashed" in logged

    ada.must("heroku", "ps:stop", "--dyno-name", crashed, "-a", app)
    eventually(lambda: uid(ada, crashed) not in {"", failing}, "another one instead of it")
    assert uid(ada, "web.1") == serving

    tried = uid(ada, crashed)
    ada.must("heroku", "ps:restart", "-a", app)
    eventually(lambda: uid(ada, crashed) not in {"", tried}, "the release tried again")
    assert uid(ada, "web.1") == serving

    ada.must("heroku", "ps:stop", "--dyno-name", "web.1", "-a", app)
    eventually(lambda: states(ada).get("web.1") == f"up {stuck}", "the serving dyno again")
    assert uid(ada, "web.1") != serving
