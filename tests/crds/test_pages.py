"""docs/spec says what the CRDs and the plans say: every field, condition, reason and setting."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import haikube.plan
from crds.pages import PAGES, filled, page, pages
from haikube.model.conditions import OWNED
from haikube.model.resources import OWN_KINDS, Resource
from haikube.plan.result import FAILURES

PLANS = Path(haikube.plan.__file__).parent
VERDICTS = {"ready", "progressing", "stalled", "idle", "Lost", "Broken", "Refusal", "observation"}
REASON = re.compile(r"[A-Z][a-z]+([A-Z][a-z]+)*")
TYPES = {"Ready", "SlugStored", "SourceReady"}
every_kind = pytest.mark.parametrize("resource", OWN_KINDS, ids=lambda each: each.kind)


def reasons() -> Iterator[str]:
    """Yield every reason that a plan can give, as it stands in the code."""
    yield from FAILURES
    for path in PLANS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if gives_a_reason(node):
                yield from literals(node)


def gives_a_reason(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in VERDICTS
    if isinstance(node, ast.Assign):
        names = {each.id for each in node.targets if isinstance(each, ast.Name)}
        return bool(names & {"reason", "RUNNING", "STOPPED"})
    return False


def literals(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        text = each.value if isinstance(each, ast.Constant) else None
        if isinstance(text, str) and REASON.fullmatch(text) and text not in TYPES:
            yield text


def documented(text: str) -> set[str]:
    """Return the names that have a row in a table of a page."""
    return set(re.findall(r"^\| `([A-Z][A-Za-z]+)`", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("path", "parts"), list(pages()), ids=lambda each: getattr(each, "stem", "")
)
def test_generated_parts_are_up_to_date(path: Path, parts: dict[str, str]) -> None:
    text = path.read_text()

    assert text == filled(text, parts), f"run: python -m crds.pages ({path.name})"


@every_kind
def test_every_condition_has_a_row(resource: Resource) -> None:
    assert set(OWNED[resource.kind]) <= documented(page(resource).read_text())


def test_every_reason_has_a_row_and_no_row_is_made_up() -> None:
    rows: set[str] = set()
    for resource in OWN_KINDS:
        rows |= documented(page(resource).read_text())
    conditions = {name for names in OWNED.values() for name in names}

    assert set(reasons()) - rows == set()
    assert rows - set(reasons()) - conditions == set()


@every_kind
def test_a_page_shows_an_example_of_its_kind(resource: Resource) -> None:
    text = page(resource).read_text()

    assert f"kind: {resource.kind}\n" in text
    assert f"apiVersion: {resource.api_version}\n" in text


def test_no_page_is_left_over() -> None:
    wanted = {page(resource).name for resource in OWN_KINDS} | {
        "settings.md",
        "attach.md",
        "logs.md",
        "README.md",
    }

    assert {path.name for path in PAGES.glob("*.md")} == wanted
