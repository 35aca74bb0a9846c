"""A Procfile whose command could not be started is remarked, and built all the same."""

from __future__ import annotations

import pytest

from build.rig import Engine

EXEC = "#!/bin/sh\nexec sleep 1\n"


@pytest.mark.parametrize(
    "command",
    [
        "./start.sh",
        "exec ./start.sh --port $PORT",
        "A=1 B= ./start.sh",
        "/app/start.sh",
        "bin/../start.sh",
        "././start.sh",
    ],
)
def test_a_script_that_git_on_windows_made_is_named(engine: Engine, command: str) -> None:
    engine.buildpack()
    done = engine.run({"Procfile": f"worker: {command}\n", "start.sh": EXEC, "bin/x": ""})
    assert done.code == 0
    told = " !     The type worker starts start.sh, which is not executable:\n"
    told += " !     git update-index --chmod=+x start.sh\n"
    assert (told in done.log) is (".." not in command)


@pytest.mark.parametrize("name", ["bin/web", ".heroku/bin/web", "target/universal/stage/bin/web"])
def test_a_program_that_is_not_there_is_named(engine: Engine, name: str) -> None:
    engine.buildpack()
    done = engine.run({"Procfile": f"web: {name} -p $PORT\n"})
    assert done.code == 0
    assert f" !     The type web starts {name}, which is not in the slug.\n" in done.log


@pytest.mark.parametrize(
    "command",
    [
        "bin/web",
        "bin/made",
        "bin/link --now",
        "python start.sh",
        "bash start.sh",
        "$HOME/nowhere/x",
        '"./no name"',
        "./no\\ name",
        "/usr/bin/env nothing/here",
        "cd bin && ./web",
        "bin/{a,b}",
        "bin/*",
        "A=$(bin/no) true",
        "bin/",
        ".",
        "(bin/no)",
    ],
)
def test_what_starts_or_is_not_ours_to_say_is_not_named(engine: Engine, command: str) -> None:
    make = "#!/bin/sh\ncd $1\ncp bin/web bin/made\nln -s /app/bin/web bin/link\n"
    engine.buildpack(compile=make)
    done = engine.run({"Procfile": f"web: {command}\n", "bin/web*": EXEC, "start.sh": EXEC})
    assert done.code == 0
    assert "The type web starts" not in done.log
