"""Which error a visitor of an app gets, by Heroku's codes. Pure: states in, one answer out.

Codes and statuses: https://devcenter.heroku.com/articles/error-codes. What the gateway itself meets
(a dyno that ends before it answered, a time-out) never comes here: it has a copy of the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from haikube.model.app import App
from haikube.model.formation import Formation
from haikube.plan import closed
from haikube.plan.closed import why_closed_by_status


@dataclass(frozen=True, slots=True)
class Answer:
    """One error: what the log calls it, and what the visitor reads."""

    code: str
    description: str
    status: int
    title: str
    text: str


NO_APP: Final = Answer(
    "",
    "No such app",
    404,
    "No such app",
    "Nothing is served at this address. Check its spelling; who has just created an app or added a "
    "domain can try again in a moment.",
)
MAINTENANCE: Final = Answer(
    "H80",
    "Maintenance mode",
    503,
    "Down for maintenance",
    "This application is being worked on and will be back. Please try again later.",
)
_OWNER: Final = "Its owner finds the cause in the log: heroku logs --tail"
NO_DYNOS: Final = Answer(
    "H14",
    "No web processes running",
    503,
    "Application error",
    f"This application has no process that could answer. {_OWNER}",
)
APP_CRASHED: Final = Answer(
    "H10",
    "App crashed",
    503,
    "Application error",
    f"This application has stopped and could not answer. {_OWNER}",
)
STARTING: Final = Answer(
    "H99",
    "Platform error",
    503,
    "Application error",
    "This application cannot be reached at the moment. Please try again in a few seconds.",
)

_ANSWERS: Final = {
    closed.MAINTENANCE: MAINTENANCE,
    closed.NO_DYNOS: NO_DYNOS,
    closed.CRASHED: APP_CRASHED,
}


def answer_for(app: App | None, web: Formation | None) -> Answer:
    """Return the error for a request that reached no dyno of an app."""
    if app is None:
        return NO_APP
    return _ANSWERS.get(why_closed_by_status(app, web), STARTING)
