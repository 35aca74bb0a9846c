"""The endpoint table: one declaration per method and path; all that is common is done here.

A room declares ``@room.get("/apps/{app}")`` over a function from a ``Call`` to the JSON that is
answered. Around it: who is calling, pages of lists, warnings, status.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haikube.api.kernel.call import Call
from haikube.api.kernel.context import context_of
from haikube.api.kernel.ranges import cut, parse

_Act = TypeVar("_Act", bound=Callable[[Call], Awaitable[Any]])

_PARTIAL: Final = 206


class Room:
    """The endpoints of one resource, in the order in which they were declared."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def get(self, *paths: str) -> Callable[[_Act], _Act]:
        """Declare what is read at some paths."""
        return self._declare("GET", paths, 200)

    def post(self, *paths: str, status: int = 201) -> Callable[[_Act], _Act]:
        """Declare what is made."""
        return self._declare("POST", paths, status)

    def patch(self, *paths: str) -> Callable[[_Act], _Act]:
        """Declare what is changed."""
        return self._declare("PATCH", paths, 200)

    def put(self, *paths: str) -> Callable[[_Act], _Act]:
        """Declare what is replaced."""
        return self._declare("PUT", paths, 200)

    def delete(self, *paths: str, status: int = 200) -> Callable[[_Act], _Act]:
        """Declare what is removed."""
        return self._declare("DELETE", paths, status)

    def _declare(self, method: str, paths: tuple[str, ...], status: int) -> Callable[[_Act], _Act]:
        def add(act: _Act) -> _Act:
            for path in paths:
                serve = _served(act, path, status)
                self.routes.append(Route(path, serve, methods=[method], name=act.__name__))
            return act

        return add


def _served(
    act: Callable[[Call], Awaitable[Any]], path: str, status: int
) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        context = context_of(request)
        call = Call(request, context, await context.caller(request), path)
        answer = await act(call)
        if isinstance(answer, Response):
            return answer
        context.contract.check_answer(request.method, path, answer)
        return _response(call, answer, status)

    return serve


def _response(call: Call, answer: object, status: int) -> Response:
    headers = dict(call.headers)
    if call.warnings:
        headers["X-Heroku-Warning"] = " ".join(call.warnings).encode("ascii", "replace").decode()
    if call.request.method == "GET" and isinstance(answer, list):
        page = cut(answer, parse(call.request.headers.get("range", "")))
        answer = page.items
        if page.next:
            headers["Next-Range"] = page.next
            status = _PARTIAL
    return json_response(answer, status, headers)


def json_response(
    answer: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON in its shortest spelling."""
    data = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(data, status, headers, media_type="application/json")
