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
    ada.run("heroku", "features:enable", "preboot", "-a", ada.names["app"])  # it may be on
    before = ada.settle()
    ada.must("heroku", "config:set", "DIE_AT_START=1", "-a", ada.names["app"])
    yield before
    ada.must("heroku", "config:unset", "DIE_AT_START", "-a", ada.names["app"])
    ada.settle()


def uid(ada: Ada, name: str) -> str:
    said = json.loads(ada.must("heroku", "ps", "--json", "-a", ada.names["app"]))
    return str(next((each["id"] for each in said if each["name"] == name), ""))


def prints(ada: Ada, *words: str) -> bool:
    """Tell whether `heroku ps` prints these words; what crashes starts again now and then."""
    said = ada.must("heroku", "ps", "-a", ada.names["app"])
    return all(each in said for each in words)


def test_what_answers_and_what_crashes_are_two_dynos_of_two_names(ada: Ada, stuck: str) -> None:
    app, new = ada.names["app"], ada.version()
    crashed = f"web.1.{new}"
    ada.sees({"web.1": f"up {stuck}", crashed: f"crashed {new}"})
    eventually(lambda: prints(ada, "web.1: up", f"{crashed}: crashed"), "both in words")
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
    eventually(lambda: ada.dynos().get("web.1") == f"up {stuck}", "the serving dyno again")
    assert uid(ada, "web.1") != serving
