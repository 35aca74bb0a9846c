"""The default web process, told from what a build left: no stack needed."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

BUILDPACKS = Path(__file__).parents[3] / "buildpacks"
RUNNABLE = "Manifest-Version: 1.0\nMain-Class: Main\n"


def jar(path: Path, *names: str, manifest: str = RUNNABLE) -> None:
    """Write a jar with these entries."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", manifest)
        for name in names:
            archive.writestr(name, "")


def released(buildpack: str, app: Path) -> str:
    """Return what bin/release prints."""
    script = BUILDPACKS / buildpack / "bin" / "release"
    return subprocess.run([script, app], check=True, capture_output=True, text=True).stdout


def web(command: str) -> str:
    return f"default_process_types:\n  web: {command}\n"


@pytest.mark.parametrize(("buildpack", "folder"), [("java", "target"), ("gradle", "build/libs")])
def test_frameworks(tmp_path: Path, buildpack: str, folder: str) -> None:
    path = tmp_path / folder / "app-1.0.jar"
    name = f"{folder}/app-1.0.jar"

    jar(path)
    assert released(buildpack, tmp_path) == web(f"java $JAVA_OPTS -jar {name}")
    jar(path, "BOOT-INF/classes/")
    assert released(buildpack, tmp_path) == web(f"java -Dserver.port=$PORT $JAVA_OPTS -jar {name}")
    jar(path, "io/micronaut/runtime/Micronaut.class")
    assert released(buildpack, tmp_path) == web(
        f"java -Dmicronaut.server.port=$PORT $JAVA_OPTS -jar {name}"
    )


@pytest.mark.parametrize(("buildpack", "folder"), [("java", "target"), ("gradle", "build/libs")])
@pytest.mark.parametrize(
    ("first", "setting"),
    [("BOOT-INF/classes/", "server"), ("io/micronaut/Runtime.class", "micronaut.server")],
)
def test_a_framework_is_found_at_the_head_of_a_jar_that_fills_a_pipe(
    tmp_path: Path, buildpack: str, folder: str, first: str, setting: str
) -> None:
    path = tmp_path / folder / "app-1.0.jar"
    jar(path, first, *(f"org/example/some/library/Name{n:05}.class" for n in range(4000)))

    assert released(buildpack, tmp_path) == web(
        f"java -D{setting}.port=$PORT $JAVA_OPTS -jar {folder}/app-1.0.jar"
    )


@pytest.mark.parametrize(("buildpack", "folder"), [("java", "target"), ("gradle", "build")])
def test_quarkus(tmp_path: Path, buildpack: str, folder: str) -> None:
    jar(tmp_path / folder / "quarkus-app" / "quarkus-run.jar")

    assert released(buildpack, tmp_path) == web(
        f"java -Dquarkus.http.port=$PORT $JAVA_OPTS -jar {folder}/quarkus-app/quarkus-run.jar"
    )


def test_jars_that_are_not_the_app(tmp_path: Path) -> None:
    jar(tmp_path / "target" / "app-1.0.jar")
    jar(tmp_path / "target" / "app-1.0-sources.jar")
    jar(tmp_path / "target" / "original-app-1.0.jar")
    jar(tmp_path / "target" / "library.jar", manifest="Manifest-Version: 1.0\n")

    assert released("java", tmp_path) == web("java $JAVA_OPTS -jar target/app-1.0.jar")


def test_two_programs_have_no_default(tmp_path: Path) -> None:
    jar(tmp_path / "target" / "a.jar")
    jar(tmp_path / "target" / "b.jar")

    assert released("java", tmp_path) == "--- {}\n"


@pytest.mark.parametrize(("buildpack", "folder"), [("java", "target"), ("gradle", "build/libs")])
def test_the_one_program_of_a_project_of_several(
    tmp_path: Path, buildpack: str, folder: str
) -> None:
    jar(tmp_path / "library" / folder / "library-1.0.jar", manifest="Manifest-Version: 1.0\n")
    jar(tmp_path / "web" / folder / "web-1.0.jar", "BOOT-INF/classes/")
    command = f"java -Dserver.port=$PORT $JAVA_OPTS -jar web/{folder}/web-1.0.jar"
    assert released(buildpack, tmp_path) == web(command)
    jar(tmp_path / "worker" / folder / "worker-1.0.jar")
    assert released(buildpack, tmp_path) == "--- {}\n"
    jar(tmp_path / folder / "root-1.0.jar")
    assert released(buildpack, tmp_path) == web(f"java $JAVA_OPTS -jar {folder}/root-1.0.jar")


@pytest.mark.parametrize("made", ["install/app/bin/app", "quarkus-app/quarkus-run.jar"])
def test_what_gradle_leaves_in_a_project_below(tmp_path: Path, made: str) -> None:
    path = tmp_path / "app" / "build" / made
    path.parent.mkdir(parents=True)
    path.touch()
    java = "java -Dquarkus.http.port=$PORT $JAVA_OPTS -jar " if made.endswith("jar") else ""
    assert released("gradle", tmp_path) == web(f"{java}app/build/{made}")


def test_the_script_of_install_dist(tmp_path: Path) -> None:
    folder = tmp_path / "build" / "install" / "app" / "bin"
    folder.mkdir(parents=True)
    (folder / "app").touch()
    (folder / "app.bat").touch()
    jar(tmp_path / "build" / "libs" / "app.jar")

    assert released("gradle", tmp_path) == web("build/install/app/bin/app")


def test_the_script_of_sbt(tmp_path: Path) -> None:
    folder = tmp_path / "target" / "universal" / "stage" / "bin"
    folder.mkdir(parents=True)
    for name in ("hello", "hello.bat"):
        (folder / name).touch(mode=0o755)

    assert released("scala", tmp_path) == web("target/universal/stage/bin/hello -Dhttp.port=$PORT")


@pytest.mark.parametrize("buildpack", ["java", "gradle", "scala", "clojure", "go"])
def test_an_app_that_left_nothing(tmp_path: Path, buildpack: str) -> None:
    assert released(buildpack, tmp_path) == "--- {}\n"


@pytest.mark.parametrize(
    ("buildpack", "file", "name"),
    [
        ("java", "pom.xml", "Java"),
        ("gradle", "build.gradle.kts", "Gradle"),
        ("scala", "build.sbt", "Scala"),
        ("clojure", "project.clj", "Clojure (Leiningen 2)"),
        ("clojure", "deps.edn", "Clojure"),
        ("go", "go.mod", "Go"),
    ],
)
def test_detection(tmp_path: Path, buildpack: str, file: str, name: str) -> None:
    script = BUILDPACKS / buildpack / "bin" / "detect"
    refused = subprocess.run([script, tmp_path], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "remove this buildpack from the app" in refused.stderr

    (tmp_path / file).touch()

    found = subprocess.run([script, tmp_path], capture_output=True, text=True, check=True)
    assert found.stdout == f"{name}\n"
