"""Around every request: an id, one line in the log, figures; never a token, link or query."""

from __future__ import annotations

import re
import uuid
from time import perf_counter
from typing import Final

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haikube.api.kernel.problems import answer
from haikube.api.rooms.probes import REQUESTS, SECONDS

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LINK: Final = re.compile(r"(?<=/sources/)[^/]+")
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_CLIENT_CLOSED: Final = 499
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = structlog.get_logger("haikube.api.kernel.accesslog")


class AccessLog:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass on what is none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        status = 0
        since = perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((b"request-id", request_id.encode()))
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        try:
            await self._app(scope, receive, note)
        except Exception as error:
            if status:
                raise
            response = await answer(Request(scope), error)
            await response(scope, receive, note)
        finally:
            _record(scope, status or _CLIENT_CLOSED, perf_counter() - since)


def _request_id(scope: Scope) -> str:
    """Return the caller's last request id if it is plain, else a new one."""
    sent = dict(scope["headers"]).get(b"request-id", b"").decode("latin-1")
    last = sent.rpartition(",")[2].strip()
    return last if _ID.fullmatch(last) else str(uuid.uuid4())


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "none")
    method = scope["method"]
    counted = method if method in _METHODS else "other"
    REQUESTS.labels(counted, route, str(status)).inc()
    SECONDS.labels(counted, route).observe(seconds)
    if scope["path"] not in _QUIET:
        path = _LINK.sub("[link]", scope["path"])
        _log.info("request", method=method, path=path, status=status, seconds=round(seconds, 3))
