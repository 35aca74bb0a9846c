"""What the name of a buildpack stands for: ours, another of ours, or somebody else's URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from build.rig import COMPILE, DETECT, RELEASE, Engine, pack
from haikube.build.selection import herokus_name

THEIRS = '#!/bin/sh\necho "theirs, from outside"\n'

CHOSEN: Mapping[str, dict[str, Any]] = {
    "App spec": {"request": {"buildpacks": [{"name": "heroku/toy"}]}},
    "BUILDPACK_URL": {"config": {"BUILDPACK_URL": "heroku/toy"}},
    "app.json": {"files": {"app.json": '{"buildpacks": [{"url": "heroku/toy"}]}'}},
    "registry": {"files": {"app.json": '{"buildpacks": [{"url": "urn:buildpack:heroku/toy"}]}'}},
    ".buildpacks": {"files": {".buildpacks": "heroku/toy\n"}},
}


def served(engine: Engine, detect: str = DETECT) -> str:
    """Serve a buildpack that is not ours; returns its URL."""
    files = {"bin/detect*": detect, "bin/compile*": THEIRS, "bin/release*": RELEASE}
    engine.stored("theirs.tgz").write_bytes(pack(files))
    return engine.objects.url("theirs.tgz")


def names(engine: Engine, **mapped: str) -> None:
    engine.names = {name.replace("__", "/"): target for name, target in mapped.items()}


@pytest.mark.parametrize("way", CHOSEN)
def test_a_mapped_name_is_the_others_however_it_was_chosen(engine: Engine, way: str) -> None:
    engine.buildpack()
    url = served(engine)
    names(engine, heroku__toy=url)
    engine.request = CHOSEN[way].get("request", {})
    engine.config = CHOSEN[way].get("config", {})
    done = engine.run({"x": "", **CHOSEN[way].get("files", {})})

    assert done.code == 0
    assert "theirs, from outside" in done.log
    assert f"heroku/toy (here: {url})\n" in done.log
    assert [each.removeprefix("urn:buildpack:") for each in done.result["buildpacks"]] == [
        "heroku/toy"
    ]


def test_detection_ends_at_what_its_name_stands_for(engine: Engine) -> None:
    engine.buildpack()
    url = served(engine)
    names(engine, heroku__toy=url)
    done = engine.run({"x": ""})

    assert f"-----> Using buildpack: heroku/toy (here: {url})\n-----> Toy app" in done.log
    assert "theirs, from outside" in done.log
    assert done.result["buildpacks"] == ["heroku/toy"]


def test_detection_does_not_go_on_when_the_other_does_not_fit(engine: Engine) -> None:
    engine.buildpack()
    names(engine, heroku__toy=served(engine, detect="#!/bin/sh\nexit 1\n"))
    done = engine.run({"x": ""})

    assert done.failure[0] == "NoBuildpackMatches"
    assert "App not compatible with buildpack: heroku/toy" in done.log


HEROKUS = [
    "https://github.com/heroku/heroku-buildpack-toy",
    "https://github.com/heroku/heroku-buildpack-toy.git",
    "http://github.com/heroku/heroku-buildpack-toy/",
    "https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku/toy.tgz",
    "https://codon-buildpacks.s3.amazonaws.com/buildpacks/heroku-community/toy.tgz",
]


@pytest.mark.parametrize("address", HEROKUS)
def test_an_address_of_herokus_is_ours_of_that_name(engine: Engine, address: str) -> None:
    engine.buildpack()
    done = engine.run({".buildpacks": f"{address}\n"})

    assert done.code == 0, done.log
    assert f"-----> Using buildpack: {address} (here: heroku/toy)\n-----> Toy app" in done.log
    assert done.result["buildpacks"] == [address]


def test_so_it_is_what_that_name_stands_for(engine: Engine) -> None:
    engine.buildpack()
    names(engine, heroku__toy=served(engine))
    done = engine.run({".buildpacks": HEROKUS[0]})

    assert "theirs, from outside" in done.log


def test_java_beside_another_language_by_its_older_address(engine: Engine) -> None:
    engine.buildpack("jvm")
    address = "https://github.com/heroku/heroku-buildpack-jvm-common.git"
    assert "(here: heroku/jvm)\n-----> Toy app" in engine.run({".buildpacks": address}).log


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1:1/heroku/heroku-buildpack-toy",
        "https://127.0.0.1:1/heroku-buildpack-other.git",
        "http://127.0.0.1:1/heroku-buildpack-toy#v1",
    ],
)
def test_another_address_is_nobodys_name(engine: Engine, address: str) -> None:
    engine.buildpack()
    assert engine.run({".buildpacks": address}).failure[0] == "BuildpackNotFound"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://github.com/heroku/heroku-buildpack-toy#v12", ""),
        ("https://github.com/acme/heroku-buildpack-toy", ""),
        ("https://github.com/heroku/toy", ""),
        ("heroku/toy", ""),
        ("https://github.com/heroku/heroku-buildpack-google-chrome", "google-chrome"),
    ],
)
def test_a_version_or_somebody_elses_address_stays_what_it_is(address: str, name: str) -> None:
    assert herokus_name(address) == name


MULTI = "https://github.com/ddollar/heroku-buildpack-multi.git"


@pytest.mark.parametrize("request_", [{}, {"buildpacks": [{"url": MULTI}]}])
def test_the_buildpack_that_reads_dot_buildpacks_is_what_happens_anyway(
    engine: Engine, request_: dict[str, Any]
) -> None:
    for name in ("one", "two"):
        engine.buildpack(name)
    engine.config = {} if request_ else {"BUILDPACK_URL": f"{MULTI}\n"}
    engine.request = request_
    done = engine.run({".buildpacks": "heroku/one\nheroku/two\n"})
    assert done.result["buildpacks"] == ["heroku/one", "heroku/two"]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("heroku/toy", "theirs, from outside"),
        ("toy", "Toying"),
        ("haikube/toy", "Toying"),
        ("acme/toy", "Toying"),
        ("acme/loop", "Toying"),
    ],
)
def test_names_are_looked_up_whole_and_once(engine: Engine, reference: str, said: str) -> None:
    engine.buildpack(compile=COMPILE)
    names(engine, heroku__toy=served(engine), acme__toy="toy", acme__loop="toy", loop="acme/loop")
    engine.request = {"buildpacks": [{"name": reference}]}

    assert said in engine.run({"x": ""}).log


@pytest.mark.parametrize(
    ("mapped", "words"),
    [
        ({"acme__rails": "rubyy"}, "'acme/rails (here: rubyy)'; known are toy, acme/rails"),
        (
            {"acme__rails": "http://127.0.0.1:1/x.tgz?token=secret"},
            "http://127.0.0.1:1/x.tgz could",
        ),
        ({}, "no buildpack 'acme/rails'; known are toy, any other is given by its http(s) git"),
    ],
)
def test_a_name_that_leads_nowhere(engine: Engine, mapped: dict[str, str], words: str) -> None:
    engine.buildpack()
    names(engine, **mapped)
    engine.request = {"buildpacks": [{"name": "acme/rails"}]}
    done = engine.run({"x": ""})

    assert done.failure[0] == "BuildpackNotFound"
    assert words in done.failure[1]
    assert "secret" not in done.log + done.failure[1]
