"""The HTTP side: every method, every path, one answer by the host; and one line for the log.

It holds no secret, reads no body and keeps nothing but its copy of what apps there are,
and for seconds how one was before.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from haikube.api.kernel.observed import Kind, Observed
from haikube.cluster.port import Cluster
from haikube.errors.answers import Answer, answer_for
from haikube.errors.hosts import Hosts
from haikube.errors.lately import Lately
from haikube.errors.page import page
from haikube.model.app import App, parse_app
from haikube.model.formation import WEB, Formation, parse_formation
from haikube.model.names import formation_name
from haikube.model.resources import APPS, FORMATIONS
from haikube.model.route import CODE_HEADER, VIA
from haikube.settings import Settings

PROBED: Final = "haikube-errors"
"""The host by which the kubelet asks; on all others every path is that of an app."""

_SYNC_SECONDS: Final = 30.0
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9-]{20,200}")
_LONGEST_PATH: Final = 2000
_HEADERS: Final = {"Cache-Control": "no-cache, no-store", "Via": VIA}

_log = structlog.get_logger("haikube.errors")


class Errors:
    """Answers for apps that cannot."""

    def __init__(self, observed: Observed, settings: Settings) -> None:
        self._observed = observed
        self._hosts = Hosts(lambda: observed.all(APPS), settings, time.monotonic)
        self._lately = Lately(observed, time.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; its body is not read."""
        request = Request(scope, receive)
        app = self._newest(self._hosts.find(request.headers.get("host", "")))
        answer = self._answer(app)
        request_id = _request_id(request)
        _write_line(request, answer, app, request_id)
        headers = {**_HEADERS, "X-Request-Id": request_id}
        if answer.code:
            headers[CODE_HEADER] = answer.code
        response = HTMLResponse(page(answer, request_id), answer.status, headers)
        await response(scope, receive, send)

    def _answer(self, app: App | None) -> Answer:
        answer = answer_for(app, self._web(app))
        return self._lately.answer((app.meta.namespace, app.meta.name), answer) if app else answer

    def _newest(self, app: App | None) -> App | None:
        """Return the app as it is now: the index of hosts may be a second old."""
        if app is None:
            return None
        found = self._observed.get(APPS, app.meta.namespace, app.meta.name)
        return app if found is None else parse_app(found)

    def _web(self, app: App | None) -> Formation | None:
        if app is None:
            return None
        name = formation_name(app.meta.name, WEB)
        found = self._observed.get(FORMATIONS, app.meta.namespace, name)
        return None if found is None else parse_formation(found)


def create_app(settings: Settings, cluster: Cluster) -> Starlette:
    """Return the application; it watches apps and formations while it runs."""
    observed = Observed(cluster, (Kind(APPS), Kind(FORMATIONS)))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with observed.running(_SYNC_SECONDS):
            yield

    async def ready(_: Request) -> Response:
        return PlainTextResponse("", 200 if observed.complete else 503)

    probes = Router([Route("/readyz", ready), Route("/healthz", _alive)])
    routes = [Host(PROBED, probes), Mount("/", Errors(observed, settings))]
    return Starlette(lifespan=lifespan, routes=routes)


async def _alive(_: Request) -> Response:
    return PlainTextResponse("")


def _request_id(request: Request) -> str:
    """Return the id that a client or proxy gave, if Heroku would take it, else a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())


def _write_line(request: Request, answer: Answer, app: App | None, request_id: str) -> None:
    """Write what the router of Heroku writes, but for the query: it may hold a secret."""
    _log.info(
        "refused",
        at="error" if answer.code else "info",
        code=answer.code,
        desc=answer.description,
        method=request.method,
        path=str(request.scope["path"])[:_LONGEST_PATH],
        host=request.headers.get("host", "")[:_LONGEST_PATH],
        request_id=request_id,
        fwd=request.headers.get("x-forwarded-for", "")[:_LONGEST_PATH],
        protocol=request.headers.get("x-forwarded-proto", "http")[:8],
        status=answer.status,
        app=app.meta.name if app else "",
        namespace=app.meta.namespace if app else "",
    )
