"""Maven apps: Spring Boot and a web application as Maven's archetype writes it."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note, Sample
from languages.proof import SLUG_RATIO, boot_web, build_app, prove, refused

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

TERMINATED = {-signal.SIGTERM, 128 + signal.SIGTERM}
SMALL = {"MEMORY_AVAILABLE": "512"}
JDK_SLUG_BYTES = 75_000_000
"""Between the slugs of this app with a linked runtime and with a whole JDK."""


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_spring_boot(stage: Stage, sample: Sample, note: Note) -> None:
    proof = prove(stage, sample("java/spring-boot"), config=SMALL)

    note("java Spring Boot", proof)
    assert proof.first.processes == {
        "web": "java -Dserver.port=$PORT $JAVA_OPTS -jar target/hello-1.0.0.jar"
    }
    assert proof.web.body == "Hello from Spring Boot on Java 21\n"
    assert "-Xmx300m -Xss512k" in proof.web.output
    assert proof.web.exit_code in TERMINATED
    assert "Linking a runtime without compilers and tools" in proof.first.log
    assert proof.first.slug_bytes < JDK_SLUG_BYTES
    assert "Downloading" not in proof.again.log
    # a jar holds the time at which it was packed
    assert all(".jar" in path for path in proof.changed)
    assert proof.weight <= SLUG_RATIO


def test_a_web_application_with_pages(stage: Stage, sample: Sample) -> None:
    built = build_app(stage, sample("java/webapp"))
    assert built.outcome.succeeded, built.log

    web = boot_web(stage, built)

    assert "webapp-runner.jar" in built.processes["web"]
    assert "<h2>Hello World!</h2>" in web.body
    assert web.exit_code in TERMINATED


def test_another_maven_and_the_whole_jdk(stage: Stage, sample: Sample) -> None:
    app = sample("java/spring-boot")
    (app / "system.properties").write_text("java.runtime.version=21\nmaven.version=3.9.11\n")

    built = build_app(stage, app, {"JAVA_FULL_JDK": "1"})

    assert built.outcome.succeeded, built.log
    assert "Fetching Maven 3.9.11" in built.log
    assert "The slug gets the whole JDK" in built.log
    assert built.slug_bytes > JDK_SLUG_BYTES


def test_the_wrapper_that_maven_writes(stage: Stage, sample: Sample) -> None:
    app = sample("java/spring-boot")
    config = {"MAVEN_CUSTOM_GOALS": "wrapper:wrapper -Dmaven=3.9.11 clean package"}
    made = build_app(stage, app, config)
    assert made.outcome.succeeded, made.log
    slug = stage.objects.folder / "slug.tar.zst"
    wrapper = ["./app/mvnw", "./app/.mvn"]
    unpack = ["tar", "--extract", "--zstd", "--strip-components=2", "--file", str(slug), *wrapper]
    subprocess.run(unpack, cwd=app, check=True)

    built = build_app(stage, app)

    assert built.outcome.succeeded, built.log
    assert "$ mvnw -DskipTests" in built.log


def test_a_java_that_no_suite_has(stage: Stage, sample: Sample) -> None:
    app = sample("java/spring-boot")
    (app / "system.properties").write_text("java.runtime.version=24\n")

    log = refused(stage, app, {"BUILDPACK_JAVA_SOURCE": "deb"})

    assert "Java 24 (system.properties) is not available on the stack debian-13" in log
    assert "Available are: 8, 11, 17, 21, 25, 26." in log
    assert "Java 25 builds and runs what is written for Java 24" in log
    assert "JDK_URL" in log


def test_code_for_a_newer_java(stage: Stage, sample: Sample) -> None:
    app = sample("java/spring-boot")
    replace(app / "pom.xml", "<java.version>21<", "<java.version>25<")

    log = refused(stage, app)

    assert "The app is compiled for Java 25, which this JDK (21) does not know." in log
    assert "Write java.runtime.version=25 into system.properties." in log


def test_code_that_does_not_compile(stage: Stage, sample: Sample) -> None:
    app = sample("java/spring-boot")
    source = app / "src/main/java/com/example/hello/HelloApplication.java"
    replace(source, "return ", "retrun ")

    log = refused(stage, app)

    assert "The app does not compile (see above)." in log


def test_a_library_that_does_not_exist(stage: Stage, sample: Sample) -> None:
    app = sample("java/spring-boot")
    replace(app / "pom.xml", "spring-boot-starter-web<", "spring-boot-starter-nothing<")

    log = refused(stage, app)

    assert "spring-boot-starter-nothing" in log


def test_a_release_of_maven_that_does_not_exist(stage: Stage, sample: Sample) -> None:
    app = sample("java/spring-boot")
    (app / "system.properties").write_text("java.runtime.version=21\nmaven.version=3.9.999\n")

    log = refused(stage, app)

    assert "Maven 3.9.999 (maven.version in system.properties) could not be fetched" in log
