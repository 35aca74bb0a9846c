"""The stack has what Heroku's images have, or its page says what brings it."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from local.stack_page import PAGE, Package, heroku_packages, packages, page

_ROWS = heroku_packages()


def test_the_page_is_made_from_the_list() -> None:
    wanted = page(PAGE.read_text())
    if os.environ.get("HAIKUBE_WRITE_DOCS"):
        PAGE.write_text(wanted)
    assert PAGE.read_text() == wanted, "make it anew: HAIKUBE_WRITE_DOCS=1 pytest " + __file__


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: f"{row.image}-{row.theirs}")
def test_a_package_of_heroku_is_here_or_has_a_reason(row: Package) -> None:
    lists = packages("run") | (packages("build") if row.image == "build" else set())
    if row.here == "yes":
        assert row.ours in lists
    else:
        assert row.here in {"Aptfile", "no"}
        assert row.ours not in lists
        assert row.why


def test_each_package_of_heroku_is_named_once() -> None:
    assert not [
        row for row, count in Counter((r.image, r.theirs) for r in _ROWS).items() if count > 1
    ]
    assert len(_ROWS) > 150


def test_the_build_list_repeats_nothing_of_the_run_list() -> None:
    assert not packages("run") & packages("build")
