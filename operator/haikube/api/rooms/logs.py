"""``heroku logs``: a link that shows an app's log as its caller may see it, for minutes."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haikube.api.bodies.formation import slot
from haikube.api.kernel.call import Call
from haikube.api.kernel.context import Context, context_of
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import app_name
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.api.kernel.rights import Right
from haikube.api.streams.events import EVENTS, EventIds, events, texts
from haikube.api.streams.text import text_stream
from haikube.cluster.errors import Forbidden, Unauthorized
from haikube.cluster.port import Json
from haikube.logs.line import ROUTER, Line, Selection
from haikube.logs.position import Position
from haikube.logs.story import API
from haikube.logs.tail import MOST, Tail
from haikube.model.resources import APPS, POD_LOGS
from haikube.model.times import format_time

room: Final = Room()

_ACT: Final = "LOGS"
_LINK_SECONDS: Final = 300
_PULSE_SECONDS: Final = 5.0
_REVIEW_SECONDS: Final = 60.0
_DEFAULT_LINES: Final = 100
_AT_ONCE, _SOON = 1, 1000
"""When a client comes back after the end; without a tail it has nothing to come back for."""


@room.post("/apps/{app}/log-sessions")
async def create(call: Call) -> Json:
    """Make a link to an app's log."""
    app = await call.app()
    wish = await call.body()
    await call.require(Right("get", POD_LOGS), app["metadata"]["namespace"])
    sealed = {"app": app["metadata"]["uid"], "token": call.caller.token, **_asked(wish)}
    link = call.context.seals.seal(_ACT, sealed, _LINK_SECONDS)
    now = format_time(datetime.now(UTC))
    return {
        "id": str(uuid.uuid4()),
        "logplex_url": f"{call.base}/apps/{app_name(app)}/logs?capability={link}",
        "created_at": now,
        "updated_at": now,
    }


def _asked(wish: dict[str, Any]) -> dict[str, Any]:
    """Return what a request asks for; a dyno or a process type both come as ``dyno``."""
    lines = wish.get("lines", _DEFAULT_LINES)
    if not isinstance(lines, int) or lines < 0:
        raise invalid(f"lines {lines!r:.40} must be a number from 0 to {MOST}.")
    source = str(wish.get("source") or "")[:64]
    dyno = str(wish.get("dyno") or wish.get("dyno_name") or wish.get("type") or "")[:64]
    if source in {ROUTER, API}:  # no sources, but people ask for them as such
        source, dyno = "", dyno or source
    return {
        "lines": min(lines, MOST),
        "tail": bool(wish.get("tail")),
        "source": source,
        "dyno": slot(dyno),
    }


async def stream(request: Request) -> Response:
    """Show the log to whoever holds a link to it, with the rights of who asked for the link."""
    context = context_of(request)
    link = request.query_params.get("capability", "")
    ids = EventIds(context.seals, link)
    resumed = ids.read(request)
    wish = context.seals.open(_ACT, link, renewed=resumed is not None)
    view = _View(context, wish)
    await view.check()
    lines = _shown(view, wish, resumed)
    if EVENTS in request.headers.get("accept", ""):
        retry = _SOON if wish["tail"] else _AT_ONCE
        shown = events(lines, ids, resumed or Position(), retry=retry)
        return text_stream(shown, media_type=EVENTS)
    return text_stream(texts(lines))


class _View:
    """One app's log for one caller, who is asked for again and again whether they may see it."""

    def __init__(self, context: Context, wish: dict[str, Any]) -> None:
        self._context = context
        self._token = str(wish["token"])
        app = context.observed.by_uid(APPS, str(wish["app"]))
        if app is None:
            raise not_found("app", str(wish["app"]))
        self._app = app
        self._checked = 0.0
        self.tail = Tail(
            context.own.with_token(self._token),
            context.observed,
            app,
            Selection(wish["source"], wish["dyno"]),
            history=context.history,
            router=context.router,
        )

    @property
    def closing(self) -> bool:
        """Tell whether this process is to stop: another one goes on."""
        return self._context.closing.is_set()

    async def check(self) -> None:
        """Raise a 403 ``Problem`` once the caller may not read logs any more."""
        if monotonic() - self._checked < _REVIEW_SECONDS:
            return
        caller = await self._context.authenticator.holder(self._token)
        right = Right("get", POD_LOGS)
        namespace = self._app["metadata"]["namespace"]
        if caller is None or not await self._context.rights.may(caller, right, namespace):
            raise Problem(403, "forbidden", "The token of this link is not valid any more.")
        self._checked = monotonic()


async def _shown(
    view: _View, wish: dict[str, Any], resumed: Position | None
) -> AsyncGenerator[list[Line], None]:
    """Yield the log; it ends, and the client may ask again, where the caller's rights end."""
    tail = view.tail
    past = await (tail.since(resumed) if resumed else tail.past(wish["lines"]))
    if past:
        yield past
    if not wish["tail"]:
        return
    try:
        async for batch in tail.live(_PULSE_SECONDS):
            yield batch
            if view.closing:
                return
            await view.check()
    except (Problem, Unauthorized, Forbidden):
        return


room.routes.append(Route("/apps/{app}/logs", stream, methods=["GET"]))
