"""The tables of versions say what the buildpacks do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from haikube.cli.runtimes import known
from languages.tables import default, filled, pages

MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
SUITES = {"bullseye", "bookworm", "trixie", "sid"}


@pytest.mark.parametrize(
    ("path", "body"), list(pages()), ids=lambda each: getattr(each, "stem", "")
)
def test_the_table_of_a_page_is_up_to_date(path: Path, body: str) -> None:
    text = path.read_text("utf-8")
    assert filled(text, body) == text, "write it anew: python -m languages.tables"


@pytest.mark.parametrize("language", list(known()))
def test_every_line_is_named_once_and_has_an_end(language: str) -> None:
    entries = known()[language]["lines"]
    lines = [tuple(map(int, each["line"].split("."))) for each in entries]
    assert lines == sorted(set(lines))
    for each in entries:
        assert MONTH.fullmatch(each["until"]), each
        assert each.get("suite", "sid") in SUITES, each
        assert set(each) <= {"line", "until", "suite", "made", "heroku"}, each


@pytest.mark.parametrize("language", list(known()))
def test_the_default_of_a_language_is_a_line_that_heroku_has_too(language: str) -> None:
    facts = known()[language]
    assert facts["ends"].startswith("https://")
    (chosen,) = (each for each in facts["lines"] if each["line"] == default(facts))
    assert chosen["heroku"]


@pytest.mark.parametrize("language", ["ruby", "php"])
def test_where_no_default_is_said_the_stack_has_one_line(language: str) -> None:
    suites = [each.get("suite") for each in known()[language]["lines"]]
    assert suites.count("trixie") == 1
