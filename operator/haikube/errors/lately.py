"""What kept an app closed until a moment ago: the gateway has not heard yet that it is open.

Whoever is sent here in that moment is told what was true for the gateway. It decides by the states
before each change, holds nothing for longer than seconds, and knows nothing of a time before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from haikube.api.kernel.observed import Observed
from haikube.cluster.port import Json
from haikube.errors.answers import STARTING, Answer, answer_for
from haikube.model.app import parse_app
from haikube.model.formation import WEB, parse_formation
from haikube.model.names import formation_name
from haikube.model.resources import APPS, FORMATIONS, Resource

Place = tuple[str, str]
"""Namespace and name of an app."""

_SECONDS: Final = 5.0
"""How long a route may take to follow."""


class Lately:
    """Hears of changes as the ``listener`` of what is observed."""

    def __init__(self, observed: Observed, clock: Callable[[], float]) -> None:
        self._observed = observed
        self._clock = clock
        self._closed: dict[Place, tuple[Answer, float]] = {}
        observed.listener = self.hear

    def hear(self, resource: Resource, old: Json | None, new: Json | None) -> None:
        """Remember how an app was before it changed, if it was closed."""
        if old is None or new is None:
            return
        now = self._clock()
        self._closed = {key: each for key, each in self._closed.items() if each[1] > now}
        space, name = old["metadata"]["namespace"], old["metadata"]["name"]
        if resource == FORMATIONS:
            app, web = self._observed.get(APPS, space, old["spec"]["appRef"]["name"]), old
            if app is None or name != formation_name(app["metadata"]["name"], WEB):
                return
        else:
            app, web = old, self._observed.get(FORMATIONS, space, formation_name(name, WEB)) or {}
        before = answer_for(parse_app(app), parse_formation(web) if web else None)
        if before is not STARTING:
            self._closed[space, app["metadata"]["name"]] = before, now + _SECONDS

    def answer(self, place: Place, now: Answer) -> Answer:
        """Return the answer for an app: that of before where nothing keeps it closed any more."""
        before, until = self._closed.get(place, (now, 0.0))
        return before if now is STARTING and until > self._clock() else now
