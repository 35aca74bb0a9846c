"""What is in a repository by mistake is named before the build."""

from __future__ import annotations

import pytest

from build.rig import Engine


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Requirements.txt", "requirements.txt"),
        ("requirement.txt", "requirements.txt"),
        ("requirments.txt", "requirements.txt"),
        ("requirements.txt.txt", "requirements.txt"),
        ("requirements.text", "requirements.txt"),
        ("requirements", "requirements.txt"),
        ("python-version", ".python-version"),
        (".python_version", ".python-version"),
        (".python-version.txt", ".python-version"),
        ("pipfile", "Pipfile"),
        ("Package.json", "package.json"),
        ("package.json.txt", "package.json"),
        ("package_lock.json", "package-lock.json"),
        ("gemfile", "Gemfile"),
        ("Go.mod", "go.mod"),
        ("aptfile", "Aptfile"),
        ("slugignore", ".slugignore"),
    ],
)
def test_a_file_that_nobody_reads_is_named(engine: Engine, name: str, wanted: str) -> None:
    engine.buildpack()
    done = engine.run({name: ""})
    told = f" !     {name} is not read: the file must be named {wanted}.\n !     Rename it: git mv"
    assert told in done.log
    assert done.log.index(told) < done.log.index("Toying")
    assert "is not read" not in engine.run({name: "", wanted: ""}).log


@pytest.mark.parametrize(
    "name",
    ["requirements.in", "requirements-dev.txt", ".profile", "packages.json", "runtime", "a.b"],
)
def test_what_has_a_name_of_its_own_is_not(engine: Engine, name: str) -> None:
    engine.buildpack()
    assert "is not read" not in engine.run({name: ""}).log


def test_what_is_not_read_is_why_nothing_was_detected(engine: Engine) -> None:
    engine.buildpack(detect="#!/bin/sh\nexit 1\n")
    reason, message = engine.run({"Requirements.txt": "six\n"}).failure
    assert reason == "NoBuildpackMatches"
    assert "Requirements.txt is not read: rename it to requirements.txt; its root needs" in message


def test_a_manifest_for_containers_is_named(engine: Engine) -> None:
    engine.buildpack()
    done = engine.run({"heroku.yml": "run:\n  web: x\n"})
    assert (
        " !     heroku.yml is not read: it is for images of containers, and buildpacks\n"
        in done.log
    )
    assert (
        " !     build this app. Its run and release commands belong into a Procfile.\n" in done.log
    )
    assert "is not read" not in engine.run({"Dockerfile": "FROM x\n"}).log


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.web", "heroku.yml"])
def test_an_image_is_why_nothing_was_detected(engine: Engine, name: str) -> None:
    engine.buildpack(detect="#!/bin/sh\nexit 1\n")
    reason, message = engine.run({name: ""}).failure
    assert reason == "NoBuildpackMatches"
    assert f"{name} is not read: buildpacks build every app here; its root needs" in message


@pytest.mark.parametrize(
    ("buildpacks", "told"),
    [
        ([], True),
        (["toy"], True),
        (["heroku-community/apt", "toy"], False),
        (["apt"], False),
    ],
)
def test_an_aptfile_that_no_buildpack_reads(
    engine: Engine, buildpacks: list[str], *, told: bool
) -> None:
    engine.buildpack()
    engine.buildpack("apt")
    engine.request = {"buildpacks": [{"name": name} for name in buildpacks]}
    done = engine.run({"Aptfile": "jq\n"})
    assert done.code == 0
    assert (
        " !     The app has an Aptfile, and no buildpack that reads it. To add" in done.log
    ) is told
    assert ("heroku buildpacks:add --index 1 heroku-community/apt\n" in done.log) is told
    assert "Aptfile" not in engine.run({"x": ""}).log


def test_a_committed_virtual_environment_is_named(engine: Engine) -> None:
    engine.buildpack()
    done = engine.run({"venv/pyvenv.cfg": "home = /usr/bin\n", "lib/x.cfg": ""})
    assert " !     The folder venv is a virtual environment of another machine. It is\n" in done.log
    assert " !     git rm -r --cached venv && echo venv/ >> .gitignore\n" in done.log
