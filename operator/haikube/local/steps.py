"""A plan of named steps and its progress lines: ``  ok   control plane ready   4.2 s``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haikube.local.command import LocalError

_TITLE_WIDTH = 34

Echo = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. What ``run`` returns is shown behind its title."""

    title: str
    run: Callable[[], str | None]


def run_steps(
    steps: Sequence[Step], echo: Echo, clock: Callable[[], float] = time.monotonic
) -> float:
    """Run steps in order, print one line for each, and return the seconds of all.

    Raises:
        LocalError: what the first failing step raised; its line says ``FAIL``.
    """
    begin = clock()
    for step in steps:
        started = clock()
        try:
            note = step.run()
        except LocalError:
            echo(progress_line("FAIL", step.title, clock() - started))
            raise
        echo(progress_line("ok", step.title, clock() - started, note or ""))
    return clock() - begin


def progress_line(outcome: str, title: str, seconds: float, note: str = "") -> str:
    """Return one line of progress, aligned for reading down a column."""
    line = f"  {outcome:<4} {title:<{_TITLE_WIDTH}} {seconds:6.1f} s"
    return f"{line}   {note}" if note else line
