"""Clojure apps: Leiningen with ring and compojure, and Clojure's own tools."""

from __future__ import annotations

import shutil
import signal

import pytest

from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note, Sample
from languages.mirrors.clojars import MIRRORS, clojars_mirror
from languages.proof import SLUG_RATIO, boot_web, build_app, one_off, prove, refused

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

TERMINATED = {-signal.SIGTERM, 128 + signal.SIGTERM}


def test_an_uberjar_from_the_central_repository_alone(stage: Stage, sample: Sample) -> None:
    built = build_app(stage, sample("clojure/jetty"))
    assert built.outcome.succeeded, built.log

    web = boot_web(stage, built)

    assert web.body == "Hello from Jetty on Clojure 1.12.0\n"
    assert web.exit_code in TERMINATED


def test_without_an_uberjar_leiningen_runs_the_app(stage: Stage, sample: Sample) -> None:
    app = sample("clojure/jetty")
    project = (app / "project.clj").read_text()
    (app / "project.clj").write_text(project.replace(':uberjar-name "hello-standalone.jar"', ""))

    built = build_app(stage, app)
    assert built.outcome.succeeded, built.log

    assert "Nothing has changed" not in built.log
    assert built.processes == {"web": "lein with-profile production trampoline run"}
    assert boot_web(stage, built).body == "Hello from Jetty on Clojure 1.12.0\n"


def test_leiningen_beside_an_uberjar(stage: Stage, sample: Sample) -> None:
    app, config = sample("clojure/jetty"), {"LEIN_INCLUDE_IN_SLUG": "yes"}
    for _ in range(2):
        built = build_app(stage, app, config)
        assert built.processes == {"web": "java $JVM_OPTS -jar target/hello-standalone.jar"}
        assert "Leiningen 2." in one_off(stage, built, "lein -o version")


def test_code_that_does_not_compile(stage: Stage, sample: Sample) -> None:
    app = sample("clojure/jetty")
    (app / "src" / "hello" / "core.clj").write_text("(ns hello.core (:gen-class))\n(undefined)\n")

    log = refused(stage, app)

    assert "Unable to resolve symbol: undefined" in log
    assert "The app does not compile (see above)." in log


def test_a_library_that_does_not_exist(stage: Stage, sample: Sample) -> None:
    app = sample("clojure/jetty")
    project = (app / "project.clj").read_text()
    (app / "project.clj").write_text(project.replace("slf4j-simple", "slf4j-nothing"))

    log = refused(stage, app)

    assert "Leiningen could not fetch what project.clj asks for (see above)." in log


def test_a_newer_leiningen_than_the_stack_has(stage: Stage, sample: Sample) -> None:
    app = sample("clojure/jetty")
    project = (app / "project.clj").read_text()
    (app / "project.clj").write_text(project.replace("2.0.0", "2.99.0"))

    log = refused(stage, app)

    assert "project.clj asks for Leiningen 2.99.0, the stack debian-13 has 2.10.0." in log


def test_deps_edn_with_a_build_alias(stage: Stage, sample: Sample, note: Note) -> None:
    proof = prove(stage, sample("clojure/deps"))

    note("clojure deps.edn", proof)
    assert proof.first.processes == {"web": "java $JVM_OPTS -jar target/hello.jar"}
    assert proof.web.body == "Hello from Jetty on Clojure 1.12.0\n"
    # a jar holds the time at which it was packed
    assert all(".jar" in path for path in proof.changed)
    assert proof.weight <= SLUG_RATIO


def test_deps_edn_run_by_the_command_of_its_procfile(stage: Stage, sample: Sample) -> None:
    app = sample("clojure/deps")
    deps = (app / "deps.edn").read_text()
    (app / "deps.edn").write_text(deps.replace(":build {", ":other {"))
    (app / "Procfile").write_text("web: clojure -M:run\n")

    built = build_app(stage, app)
    assert built.outcome.succeeded, built.log

    assert "Preparing class paths\n       clojure -M:run\n" in built.log
    web = boot_web(stage, built)
    assert web.body == "Hello from Jetty on Clojure 1.12.0\n"
    assert web.exit_code in TERMINATED


def test_ring_and_compojure(stage: Stage, sample: Sample, note: Note) -> None:
    app = sample("clojure/ring")
    shutil.copytree(clojars_mirror(), app / "mirror")

    proof = prove(stage, app, config=MIRRORS)

    note("clojure ring", proof)
    assert proof.first.processes == {"web": "java $JVM_OPTS -jar target/hello-standalone.jar"}
    assert proof.web.body == "Hello from ring and compojure on Clojure 1.12.0\n"
    assert proof.web.exit_code in TERMINATED
    assert "Nothing has changed: using what the last build made" in proof.again.log
    # a jar holds the time at which it was packed
    assert all(".jar" in path for path in proof.changed)
    assert proof.weight <= SLUG_RATIO
