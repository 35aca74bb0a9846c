"""What a build leaves behind, and what a later pod of the same build makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from build.rig import Engine

NOWHERE = "http://127.0.0.1:1/gone"


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """The next build of this engine is the next pod of the same build."""
    engine.urls = {"result-get": engine.objects.url("result-put")}
    return engine


def store(engine: Engine, document: Mapping[str, Any] | str) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    engine.stored("result-put").write_text(text)


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 1", 1)])
def test_a_final_result_is_shown_once_it_is_stored(engine: Engine, script: str, code: int) -> None:
    engine.buildpack(compile=f"#!/bin/sh\nls $1/../handed-back; {script}\n")
    done = engine.run({"x": ""})
    assert (done.code, done.result["ok"]) == (code, code == 0)
    assert "No such file" in done.log
    assert engine.layout.handed_back.exists()


def test_a_probe_that_waits_has_time_to_be_heard(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that ends takes its probe along."""
    pauses: list[float] = []
    monkeypatch.setattr("haikube.build.handback.sleep", pauses.append)
    engine.buildpack(compile="#!/bin/sh\n: >$1/../handed-back.awaited\n")
    engine.run({"x": ""})
    assert pauses == [0.5]


@pytest.mark.parametrize("missing", ["slug-put", "result-put", "log-put"])
def test_a_result_that_another_pod_may_better_is_not_shown(engine: Engine, missing: str) -> None:
    engine.buildpack()
    engine.urls[missing] = NOWHERE
    engine.run({"x": ""})
    assert not engine.layout.handed_back.exists()


def test_a_second_pod_repeats_what_the_first_stored(engine: Engine) -> None:
    """The release of the first may run already, with the digest of its slug."""
    engine.buildpack()
    first = engine.run({"x": ""})
    slug = engine.stored("slug-put").read_bytes()
    engine.buildpack(compile="#!/bin/sh\ndate +%N >$1/now\n")

    second = engine.run()

    assert (second.code, second.log) == (0, "")
    assert second.termination == first.termination
    assert engine.stored("slug-put").read_bytes() == slug
    assert engine.layout.handed_back.exists()


@pytest.mark.parametrize("earlier", [{"ok": False, "reason": "Canceled", "message": ""}, [], "{"])
def test_nothing_else_is_repeated(engine: Engine, earlier: Any) -> None:
    engine.buildpack()
    store(engine, earlier)
    assert "Toying" in engine.run({"x": ""}).log


def test_without_a_storage_to_ask_it_builds(engine: Engine) -> None:
    engine.buildpack()
    engine.urls = {"result-get": NOWHERE}
    assert "Toying" in engine.run({"x": ""}).log
