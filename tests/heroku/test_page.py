"""The page about the Heroku CLI says what the scenarios show; it needs no cluster."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from heroku.page import PAGE, page
from heroku.steps import Printed, Step, holds
from heroku.table import ROOMS

_PINNED = json.loads((Path(__file__).parent / "package.json").read_text())["dependencies"]
_COMMANDS = {step.command for steps in ROOMS.values() for step in steps}


def test_the_page_is_made_from_the_scenarios() -> None:
    wanted = page(ROOMS, _PINNED["heroku"])
    if os.environ.get("HAIKUBE_WRITE_DOCS"):
        PAGE.write_text(wanted)
    assert PAGE.read_text() == wanted, "make it anew: HAIKUBE_WRITE_DOCS=1 pytest " + __file__


def test_there_are_as_many_commands_as_we_say() -> None:
    assert len(_COMMANDS) >= 105


def test_a_command_that_works_is_shown_working() -> None:
    """Whatever is neither different nor to come succeeds at least once."""
    everything = [step for steps in ROOMS.values() for step in steps]
    for command in _COMMANDS:
        mine = [step for step in everything if step.command == command]
        excused = any(step.later or step.differs for step in mine)
        assert excused or any(step.code == 0 for step in mine), command


def test_every_step_expects_something() -> None:
    for steps in ROOMS.values():
        assert all(step.out or step.err or step.code or step.never for step in steps)
        doubled = [step for step, count in Counter(map(repr, steps)).items() if count > 3]
        assert not doubled


@pytest.mark.parametrize(
    ("printed", "wanted", "found"),
    [
        (" \u203a   Error: Couldn't find\n \u203a   that app.", "Couldn't find that app", True),
        ("web.1: up 2026/12/01 (~ 5s ago)", "up ...~ ...ago", True),
        ("a+b (c)", "a+b (c)", True),
        ("aab", "a+b", False),
        ("one two", "two one", False),
    ],
)
def test_what_is_printed_is_found_however_it_is_wrapped(
    printed: str, wanted: str, *, found: bool
) -> None:
    assert holds(printed, wanted) is found


def test_a_fault_is_named_in_full() -> None:
    step = Step("x", out=("{a}",), err=("no",), never=("oops",))
    faults = Printed(1, "oops", "").faults(step, {"a": "b"})
    assert faults == [
        "standard output lacks 'b'",
        "standard error lacks 'no'",
        "it says 'oops'",
        "it ends with 1, not 0",
    ]
