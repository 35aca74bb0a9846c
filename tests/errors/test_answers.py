"""Which error a visitor gets: by the state of the app, in Heroku's codes."""

from __future__ import annotations

import pytest

import builders as b
from haikube.errors.answers import Answer, answer_for
from haikube.errors.page import page
from haikube.model.app import parse_app
from haikube.model.formation import parse_formation
from haikube.plan.closed import CRASHES

UP = b.ready_status()


def status(reason: str, ready: int = 0) -> b.Raw:
    return {"readyReplicas": ready, "conditions": [{"type": "Ready", "reason": reason}]}


@pytest.mark.parametrize(
    ("app", "web", "code", "number"),
    [
        (None, None, "", 404),
        (b.app(), None, "H14", 503),
        (b.app(), b.formation(quantity=0), "H14", 503),
        (b.app(maintenance="Enabled"), b.formation(quantity=0), "H80", 503),
        (b.app(maintenance="Enabled"), b.formation(status=UP), "H80", 503),
        *((b.app(), b.formation(status=status(each)), "H10", 503) for each in sorted(CRASHES)),
        (b.app(), b.formation(quantity=2, status=status("AppCrashed", 1)), "H99", 503),
        (b.app(), b.formation(status=status("DynosStarting")), "H99", 503),
        (b.app(), b.formation(status=UP), "H99", 503),
    ],
)
def test_the_code_follows_from_the_state(
    app: b.Raw | None, web: b.Raw | None, code: str, number: int
) -> None:
    found = answer_for(app and parse_app(app), web and parse_formation(web))

    assert (found.code, found.status) == (code, number)


def test_the_page_is_one_file_and_escapes_what_it_shows() -> None:
    shown = page(Answer("H14", "d", 503, "<b>", '"&'), "id-1")

    assert "<title>&lt;b&gt;</title>" in shown
    assert "&quot;&amp;" in shown
    assert "H14 · 503 · request id-1" in shown
    assert "http" not in shown.replace("http-equiv", "")
