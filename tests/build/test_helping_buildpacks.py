"""Buildpacks that stand beside one of a language, as people combine them, without a stack."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from build.rig import Engine
from buildpacks.shell import ROOT


@pytest.fixture
def ours(engine: Engine) -> Engine:
    """Return an engine that has them, after a buildpack of a language."""
    engine.buildpack("toy")
    (engine.root / "buildpacks" / "lib").rmdir()
    (engine.root / "buildpacks" / "lib").symlink_to(ROOT / "lib")
    for name in ("inline", "multi-procfile", "jvm"):
        (engine.root / "buildpacks" / name).symlink_to(ROOT / name)
    return engine


OWN = {
    "bin/detect": '#!/bin/sh\n[ -d "$1" ] && echo Homemade\n',
    "bin/compile": '#!/bin/sh -e\necho "-----> in $(pwd)"; cat "$3/SAID"; echo made >"$1/made"\n',
}


@pytest.mark.parametrize("name", ["inline", "heroku-community/inline"])
def test_an_app_may_be_its_own_buildpack(ours: Engine, name: str) -> None:
    ours.request = {"buildpacks": [{"name": "toy"}, {"name": name}]}
    ours.config = {"SAID": "by a config var"}
    release = "#!/bin/sh\necho 'default_process_types:'\necho '  web: cat made'\n"
    done = ours.run({**OWN, "bin/release": release})
    assert "-----> Homemade app detected\n" in done.log
    assert f"-----> in {ours.layout.build_dir}\nby a config var" in done.log
    assert done.result["processTypes"] == [{"name": "web", "command": "cat made"}]
    assert "./app/made" in ours.slug()


@pytest.mark.parametrize("missing", ["bin/detect", "bin/compile"])
def test_one_that_is_not_is_told(ours: Engine, missing: str) -> None:
    ours.request = {"buildpacks": [{"name": "inline"}]}
    done = ours.run({name: text for name, text in OWN.items() if name != missing})
    assert done.failure[0] == "NoBuildpackMatches"
    assert "An app that is its own buildpack has bin/detect and bin/compile" in done.log


def test_it_needs_no_release_and_may_fail(ours: Engine) -> None:
    ours.request = {"buildpacks": [{"name": "inline"}]}
    assert ours.run({**OWN, "Procfile": "web: x\n"}).failure[0] == "CompileFailed"  # no SAID
    ours.config = {"SAID": "x"}
    assert ours.run({**OWN, "Procfile": "web: x\n"}).code == 0


TWO = {"Procfile": "web: root\n", "apps/api/Procfile": "web: api\nworker: api work\n"}


def test_an_app_of_several_has_its_own_procfile(ours: Engine) -> None:
    ours.request = {"buildpacks": [{"name": "heroku-community/multi-procfile"}, {"name": "toy"}]}
    ours.config = {"PROCFILE": "apps/api/Procfile"}
    done = ours.run(TWO)
    assert "-----> Using apps/api/Procfile as the Procfile\n" in done.log
    types = {each["name"]: each["command"] for each in done.result["processTypes"]}
    assert (types["web"], types["worker"]) == ("api", "api work")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "The config var PROCFILE is not set: it names the Procfile of this app."),
        ({"PROCFILE": "apps/web/Procfile"}, "PROCFILE is 'apps/web/Procfile', but the source has"),
    ],
)
def test_a_procfile_that_is_not_there(ours: Engine, config: Mapping[str, str], words: str) -> None:
    ours.request = {"buildpacks": [{"name": "multi-procfile"}]}
    ours.config = dict(config)
    done = ours.run(TWO)
    assert done.failure[0] == "CompileFailed"
    assert f" !     {words}" in done.log


@pytest.mark.parametrize("name", ["jvm", "inline", "multi-procfile"])
def test_none_of_them_is_asked_unless_it_was_chosen(tmp_path: Path, name: str) -> None:
    assert name not in (ROOT / "order.txt").read_text().split()
    (tmp_path / "bin").mkdir()
    printed = subprocess.check_output([ROOT / name / "bin" / "release", tmp_path], text=True)
    assert printed == "--- {}\n"
