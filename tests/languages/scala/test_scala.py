"""An sbt app with the native packager."""

from __future__ import annotations

import signal

import pytest

from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note, Sample
from languages.proof import SLUG_RATIO, prove, refused

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

TERMINATED = {-signal.SIGTERM, 128 + signal.SIGTERM}


def test_pekko_http(stage: Stage, sample: Sample, note: Note) -> None:
    proof = prove(stage, sample("scala/pekko-http"))

    note("scala Pekko HTTP", proof)
    assert proof.first.processes == {
        "web": "target/universal/stage/bin/hello -Dhttp.port=$PORT",
    }
    assert proof.web.body == "Hello from Pekko HTTP on Scala 2.13.16\n"
    assert proof.web.exit_code in TERMINATED
    assert "compiling 1 Scala source" in proof.first.log
    assert "compiling" not in proof.again.log
    # a jar holds the time at which it was packed
    assert all(".jar" in path for path in proof.changed)
    assert proof.weight <= SLUG_RATIO


def test_code_that_does_not_compile(stage: Stage, sample: Sample) -> None:
    app = sample("scala/pekko-http")
    (app / "src/main/scala/Hello.scala").write_text("object Hello extends Nothingness\n")

    log = refused(stage, app)

    assert "not found: type Nothingness" in log
    assert "The app does not compile (see above)." in log


def test_a_build_without_stage(stage: Stage, sample: Sample) -> None:
    app = sample("scala/pekko-http")
    (app / "project" / "plugins.sbt").unlink()
    build = (app / "build.sbt").read_text()
    (app / "build.sbt").write_text(build.replace("enablePlugins(JavaAppPackaging)\n", ""))

    log = refused(stage, app)

    assert 'This app has no task "stage".' in log
    assert "sbt-native-packager" in log


def test_a_build_that_does_not_name_its_sbt(stage: Stage, sample: Sample) -> None:
    app = sample("scala/pekko-http")
    (app / "project" / "build.properties").unlink()

    log = refused(stage, app)

    assert "project/build.properties does not say which sbt builds this app." in log


def test_an_sbt_that_does_not_exist(stage: Stage, sample: Sample) -> None:
    app = sample("scala/pekko-http")
    (app / "project" / "build.properties").write_text("sbt.version=1.99.0\n")

    log = refused(stage, app)

    assert "sbt 1.99.0 (project/build.properties) could not be fetched" in log


def test_a_library_that_does_not_exist(stage: Stage, sample: Sample) -> None:
    app = sample("scala/pekko-http")
    build = (app / "build.sbt").read_text()
    (app / "build.sbt").write_text(build.replace('"pekko-http"', '"pekko-nothing"'))

    log = refused(stage, app)

    assert "sbt could not fetch what the build asks for (see above)." in log
