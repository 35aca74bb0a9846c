"""Every reason that a user may meet is explained in docs/spec."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from haikube.build.failure import Reason
from haikube.plan.result import FAILURES

ROOT = Path(__file__).parents[2]
PAGES = {
    "app": ["plan/app/status.py", "plan/app/verdicts.py", "plan/hosts.py"],
    "build": ["plan/build.py", "plan/buildstatus.py", "plan/outcome.py"],
    "release": [
        "plan/release/phase.py",
        "plan/release/request.py",
        "plan/release/entries.py",
        "plan/diagnosis.py",
    ],
    "formation": ["plan/formationstatus.py", "plan/diagnosis.py"],
    "dyno": ["plan/dyno.py", "plan/diagnosis.py"],
    "stack": ["plan/stack.py"],
    "README": ["operator/reconcile.py"],
}
REPEATED = {
    "app": ["build", "release", "formation"],
    "dyno": ["formation"],
    "release": ["formation"],
}
"""Pages that send their reader to others for what is repeated from there."""

FIRST = frozenset({"ready", "progressing", "stalled", "idle", "Lost", "Broken"})
SECOND = frozenset({"Refusal", "Event"})


def reasons(file: str) -> Iterator[str]:
    """Yield every reason that is spelled in a module."""
    tree = ast.parse((ROOT / "operator/haikube" / file).read_text("utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        given = [
            *(node.args[:1] if node.func.id in FIRST else ()),
            *(node.args[1:2] if node.func.id in SECOND else ()),
            *(each.value for each in node.keywords if each.arg == "reason"),
        ]
        yield from (each.value for each in given if isinstance(each, ast.Constant))


def explained(page: str) -> str:
    pages = [page, *REPEATED.get(page, [])]
    return "".join((ROOT / "docs/spec" / f"{each}.md").read_text("utf-8") for each in pages)


@pytest.mark.parametrize("page", PAGES)
def test_every_reason_of_a_plan_is_explained(page: str) -> None:
    found = {reason for file in PAGES[page] for reason in reasons(file)}
    missing = sorted(each for each in found if f"`{each}`" not in explained(page))

    assert found
    assert missing == []


def test_every_reason_of_the_build_engine_is_explained() -> None:
    assert sorted(each for each in FAILURES if f"`{each}`" not in explained("build")) == []


def test_the_plan_believes_every_reason_of_the_build_engine_and_no_other() -> None:
    assert set(Reason) == FAILURES
