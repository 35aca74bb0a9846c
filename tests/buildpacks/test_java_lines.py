"""What an app is told that asks for a line of Java that there is not."""

from __future__ import annotations

import pytest

from buildpacks.shell import Shell


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "17",
            "Java 21 builds and runs what is written for Java 17: write java.runtime.version=21",
        ),
        ("22", "write java.runtime.version=25"),
        ("27", "Change java.runtime.version there"),
        ("nonsense", "Change java.runtime.version there"),
    ],
)
def test_a_java_line_that_is_not_there_is_answered_with_one_that_will_do(
    lib: Shell, line: str, words: str
) -> None:
    load = 'source "$HAIKUBE_LIB/jvm.sh"\n'
    assert words in lib.run(f"{load}jvm_advice {line} $'21\\n25'")
