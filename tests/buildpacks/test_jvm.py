"""Every build tool on every line of Java, in bash alone: no stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildpacks.shell import Shell
from buildpacks.test_words import functions

LOG = "-Xlog:disable"
NATIVE = "--enable-native-access=ALL-UNNAMED"
ARCHIVE = "-XX:+AutoCreateSharedArchive"
KNOWN = [(8, set()), (11, {LOG}), (17, {LOG}), (21, {LOG, ARCHIVE}), (25, {LOG, NATIVE, ARCHIVE})]
"""What Javas do not start with before they know it."""

TOOLS = [
    ("java", "jvm_tool_options /archive"),
    (
        "scala",
        'JAVA_HOME=/jdk SBT_LAUNCHER=x.jar; sbt_command 1.11.7; printf "%s\\n" "${SBT[@]}"',
    ),
    (
        "gradle",
        'tool() { echo "$GRADLE_OPTS"; }\ncache_times() { :; }\nrun_gradle',
    ),
]


@pytest.mark.parametrize(("feature", "known"), KNOWN)
@pytest.mark.parametrize(("buildpack", "line"), TOOLS)
def test_a_build_tool_gets_no_option_that_its_java_does_not_know(
    tmp_path: Path, buildpack: str, line: str, feature: int, known: set[str]
) -> None:
    shell = Shell(tmp_path, buildpack)
    java = f"jvm_feature() {{ echo {feature}; }}"
    shown = shell.run(f"{functions(buildpack)}\n{java}\n{line}").split()
    expected = known if buildpack == "java" else known - {ARCHIVE}
    assert {LOG, NATIVE, ARCHIVE} & set(shown) == expected


def test_java_8_knows_a_share_of_the_memory_by_its_point(tmp_path: Path) -> None:
    shown = Shell(tmp_path, "scala").run(f"{functions('scala')}\n{dict(TOOLS)['scala']}")
    assert "\n-XX:MaxRAMPercentage=70.0\n" in shown
