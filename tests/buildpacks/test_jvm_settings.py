"""What files and config vars tell the builds of JVM languages, in bash alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildpacks.shell import Shell
from buildpacks.test_words import functions


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("java.runtime.version=17", "17"),
        ("java.runtime.version = openjdk-21\r", "21"),
        ("java.runtime.version: zulu-11.0.2", "11.0.2"),
        ("java.runtime.version 17", "17"),
        ("\tjava.runtime.version\t1.8 ", "1.8"),
        ("java.runtime.versions=17", "25"),
        ("# java.runtime.version=17", "25"),
        ("javaXruntime.version=17", "25"),
    ],
)
def test_a_line_of_system_properties_as_java_reads_it(
    tmp_path: Path, line: str, version: str
) -> None:
    java = Shell(tmp_path, "java")
    java.write({"system.properties": f"{line}\n"})
    shown = java.run(f'{functions("java")}\njvm_wanted\njvm_major "$(jvm_wanted)"')
    assert shown == version + version.removeprefix("1.").partition(".")[0]


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ({}, ""),
        ({"MAVEN_JAVA_OPTS": "-Xmx2g"}, " -Xmx2g"),
        ({"MAVEN_OPTS": "-Xss4m", "MAVEN_JAVA_OPTS": "-Xmx2g"}, " -Xss4m -Xmx2g"),
    ],
)
def test_options_for_the_jvm_of_maven(tmp_path: Path, config: dict[str, str], options: str) -> None:
    java = Shell(tmp_path, "java")
    java.write(config, "env")
    stub = "jvm_tool_options() { echo ours; }\nmaven_of_distribution() { :; }"
    line = 'jvm_export_env_dir\nmaven_install\necho "[$MAVEN_OPTS]"'
    assert f"[ours{options}]\n" in java.run(f"{functions('java')}\n{stub}\n{line}")


SPRING = "plugins { id 'org.springframework.boot' version '3.5.0' }\n"


@pytest.mark.parametrize(
    ("file", "text", "tasks"),
    [
        ("build.gradle", SPRING, "build -x check"),
        ("build.gradle", f"{SPRING}task stage(dependsOn: ['build'])\n", "stage"),
        ("build.gradle", f"{SPRING}task stage {{\n", "stage"),
        ("build.gradle", f"{SPRING}tasks.register('stage') {{\n", "stage"),
        ("build.gradle.kts", f'{SPRING}tasks.register<Copy>("stage") {{\n', "stage"),
        ("build.gradle.kts", f'{SPRING}  task("stage") {{\n', "stage"),
        ("build.gradle.kts", f"{SPRING}val stage by tasks.registering {{\n", "stage"),
        ("build.gradle", f"{SPRING}// task stage\ntask stageAssets\n", "build -x check"),
        ("app/build.gradle.kts", SPRING, "build -x check"),
        ("app/build.gradle", f"{SPRING}tasks.register('stage') {{\n", "stage"),
        ("build.gradle", "plugins { id 'io.ratpack.ratpack-java' }\n", "installDist"),
        ("build.gradle", "plugins { id 'java' }\n", "stage"),
    ],
)
def test_a_task_that_the_app_has_for_this_is_the_one(
    tmp_path: Path, file: str, text: str, tasks: str
) -> None:
    gradle = Shell(tmp_path, "gradle")
    (tmp_path / "build" / "app").mkdir()
    gradle.write({file: text})
    line = f'{functions("gradle")}\ncd "$BUILD_DIR"\ngradle_tasks'
    assert gradle.run(line) == tasks
    gradle.write({"GRADLE_TASK": "assemble"}, "env")
    assert gradle.run(line) == "assemble"


CLOJURE = """
cd "$BUILD_DIR"
jar=demo.jar
mkdir -p target "$CACHE_DIR/lein/bin" "$CACHE_DIR/m2" "$CACHE_DIR/jvm"
touch target/$jar "$CACHE_DIR/lein/bin/lein" "$CACHE_DIR/jvm/jdk.key"
lein_start "$(result_key)"
echo "web: $(<.heroku/clojure/web)"
"""
PROJECT = '(defproject demo "1" :uberjar-name "demo.jar")\n'


@pytest.mark.parametrize(
    ("project", "procfile", "config", "stays", "told"),
    [
        (PROJECT, "web: java -jar x\n", {}, False, ""),
        (PROJECT, "web: java -jar x\n", {"LEIN_INCLUDE_IN_SLUG": "yes"}, True, "is yes"),
        (PROJECT, "release: lein migrate\n", {}, False, "The Procfile starts lein, which a slug"),
        (PROJECT, "release: lein migrate\n", {"LEIN_INCLUDE_IN_SLUG": "yes"}, True, "is yes"),
        ('(defproject demo "1")\n', "", {}, True, "since the build made no uberjar"),
    ],
)
def test_leiningen_is_in_the_slug_of_an_app_that_runs_it(
    tmp_path: Path, project: str, procfile: str, config: dict[str, str], told: str, *, stays: bool
) -> None:
    clojure = Shell(tmp_path, "clojure")
    clojure.write({"project.clj": project, "Procfile": procfile})
    clojure.write(config, "env")
    shown = clojure.run(CLOJURE, "project", "result", "leiningen")
    assert (tmp_path / "build/.heroku/lein/bin/lein").exists() is stays
    assert told in shown
    assert ("Keeping Leiningen in the slug" in shown) is stays
    assert ("The Procfile starts lein" in shown) is ("starts" in told)
    uberjar = "uberjar-name" in project
    assert f"web: {'java $JVM_OPTS -jar target/demo.jar' if uberjar else 'lein with'}" in shown


@pytest.mark.parametrize("folder", ["target", "target/uberjar"])
def test_an_uberjar_is_found_where_target_path_puts_it(tmp_path: Path, folder: str) -> None:
    clojure = Shell(tmp_path, "clojure")
    clojure.write({"project.clj": PROJECT})
    line = f"""
    cd "$BUILD_DIR"
    key=$(result_key)
    mkdir -p {folder}/classes target/uberjar/classes target/classes "$CACHE_DIR/jvm"
    touch {folder}/demo.jar "$CACHE_DIR/jvm/jdk.key"
    lein_start "$key"
    lein_tidy
    cat .heroku/clojure/web
    find target | sort
    rm -r target .heroku
    result_reuse "$key"
    find target -type f
    """
    shown = clojure.run(line, "project", "result", "leiningen")
    assert f"java $JVM_OPTS -jar {folder}/demo.jar\n" in shown
    assert "Keeping Leiningen" not in shown
    assert "classes" not in shown
    assert shown.count(f"{folder}/demo.jar\n") >= 2
