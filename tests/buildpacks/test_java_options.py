"""What of an app's options for JVMs a build heeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildpacks.shell import Shell

SHOW = (
    'source "$HAIKUBE_LIB/jvm.sh"\njvm_export_env_dir "SBT_.*"\n'
    'echo "[${JDK_JAVA_OPTIONS-none}${_JAVA_OPTIONS-none}${JAVA_TOOL_OPTIONS-none}]"\n'
    "tool sh -c 'echo \"$JDK_JAVA_OPTIONS|$_JAVA_OPTIONS|$JAVA_TOOL_OPTIONS$SBT_OPTS|$OWN\"'"
)


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("-Xmx300m --add-opens java.base/java.lang=ALL-UNNAMED", None),
        ("-javaagent:/app/newrelic/newrelic.jar", ""),
        ("-Xss1m -javaagent:agent.jar=port=1,host=x -Dx=1", "-Xss1m -Dx=1"),
        ('-agentpath:"/app/a b/lib.so" -agentlib:jdwp=transport=dt_socket', ""),
        ("-Dagent=-javaagent", None),
    ],
)
@pytest.mark.parametrize("name", ["JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"])
def test_agents_are_for_dynos(tmp_path: Path, name: str, wanted: str, kept: str | None) -> None:
    java = Shell(tmp_path, "java")
    java.write({name: wanted, "JAVA_TOOL_OPTIONS": "x", "SBT_OPTS": "x", "OWN": "mine"}, "env")
    *before, own, seen = java.run(SHOW).splitlines()
    first, second, others, mine = seen.split("|")
    assert own == "[nonenonenone]", "the platform's own steps"
    assert " ".join((first + second).split()) == (wanted if kept is None else kept)
    assert (others, mine) == ("", "mine")
    assert any("are for dynos" in each for each in before) == (kept is not None)
