"""A Play app as its seed template writes it: routes, a controller, a view, an asset."""

from __future__ import annotations

import signal
import tempfile

import pytest

from haikube.build.harness.dyno import booted
from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note, Sample
from languages.proof import SLUG_RATIO, Built, boot_web, build_app, prove

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

HOST = {"Host": "hello.apps.example.com"}
SECRET = {"PLAY_SECRET": "s" * 32}
WARNING = "Play does not start in production without a secret"


def refusal_to_start(stage: Stage, built: Built, config: dict[str, str]) -> str:
    """Return what a web process prints that ends by itself."""
    with tempfile.TemporaryFile() as output:
        result, command = built.outcome.result, built.processes["web"]
        with booted(stage, result, command, config=config, output=output) as dyno:
            assert dyno.wait(60) not in {0, 128 + signal.SIGKILL}
        output.seek(0)
        return output.read().decode(errors="replace")


def test_play(stage: Stage, sample: Sample, note: Note) -> None:
    proof = prove(stage, sample("scala/play"), config=SECRET, headers=HOST)
    style = boot_web(
        stage, proof.again, path="/assets/stylesheets/main.css", config=SECRET, headers=HOST
    )

    note("scala Play", proof)
    assert proof.first.processes == {"web": "target/universal/stage/bin/hello -Dhttp.port=$PORT"}
    assert proof.web.status == 200
    assert "<title>Welcome to Play</title>" in proof.web.body
    assert "Application started (Prod)" in proof.web.output
    assert "Stopping Pekko HTTP server" in proof.web.output
    assert proof.web.exit_code in {-signal.SIGTERM, 128 + signal.SIGTERM}
    assert style.body == "body { font-family: sans-serif; }\n"
    assert "compiling 7 Scala sources and 1 Java source" in proof.first.log
    assert WARNING not in proof.first.log
    assert "compiling" not in proof.again.log
    # a jar holds the time at which it was packed
    assert all(".jar" in path for path in proof.changed)
    assert proof.weight <= SLUG_RATIO


def test_a_secret_that_play_does_not_take(stage: Stage, sample: Sample) -> None:
    app = sample("scala/play")
    named = build_app(stage, app)
    short = refusal_to_start(stage, named, {"PLAY_SECRET": "s" * 31})
    unset = refusal_to_start(stage, named, {})
    conf = (app / "conf" / "application.conf").read_text().splitlines(keepends=True)
    without = [line for line in conf if not line.startswith("play.http.secret.key")]
    (app / "conf" / "application.conf").write_text("".join(without))

    unnamed = build_app(stage, app)

    assert WARNING not in named.log
    assert "The application secret is too short" in short
    assert "The application secret has not been set" in unset
    assert WARNING in unnamed.log
    assert "play.http.secret.key = ${?PLAY_SECRET}" in unnamed.log
    assert "The application secret has not been set" in refusal_to_start(stage, unnamed, SECRET)
