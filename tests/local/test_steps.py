from __future__ import annotations

import itertools

import pytest

from haikube.local.command import LocalError
from haikube.local.steps import Step, progress_line, run_steps


def test_every_step_is_named_with_its_time_and_note() -> None:
    lines: list[str] = []
    clock = itertools.count(0.0, 1.5)
    steps = [Step("node started", lambda: "10.89.0.0/24"), Step("done", lambda: None)]

    total = run_steps(steps, lines.append, lambda: next(clock))

    assert lines == [
        "  ok   node started                          1.5 s   10.89.0.0/24",
        "  ok   done                                  1.5 s",
    ]
    assert total == 7.5


def test_a_failed_step_is_named_and_ends_the_plan() -> None:
    lines: list[str] = []

    def fail() -> None:
        raise LocalError("no disk")

    never = Step("never", lambda: pytest.fail("a step ran after the failure"))
    with pytest.raises(LocalError, match="no disk"):
        run_steps([Step("disk", fail), never], lines.append, lambda: 0.0)

    assert lines == [progress_line("FAIL", "disk", 0.0)]
