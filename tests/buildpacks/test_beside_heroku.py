"""What Heroku's buildpacks came to do in the last years, in bash alone: no stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildpacks.test_lib import Shell


@pytest.fixture
def lib(tmp_path: Path) -> Shell:
    return Shell(tmp_path, "toy")


@pytest.mark.parametrize("command", ["run", 'follow "$TMPDIR/log"'])
@pytest.mark.parametrize("end", ["exit 0", "exit 3"])
def test_what_is_left_in_the_background_holds_no_build_up(
    lib: Shell, command: str, end: str
) -> None:
    left = f"sleep 60 & echo $! >$TMPDIR/left; echo said; echo more >/dev/stderr; {end}"
    shown = lib.run(
        f"{command} bash -c '{left}' || echo failed\nkill $(<$TMPDIR/left) && echo left"
    )
    expected = ["       said", "       more", "failed", "left"]
    assert shown.splitlines() == [each for each in expected if each != "failed" or "3" in end]


def test_all_that_a_tool_prints_is_shown_before_what_comes_next(lib: Shell) -> None:
    shown = lib.run(
        'for count in 1 2 3; do follow "$TMPDIR/log" seq 20000; wc -l <"$TMPDIR/log"; done'
    )
    numbers = [f"       {number}" for number in range(1, 20001)]
    assert shown.splitlines() == [*numbers, "20000"] * 3
