"""What is asked without a token: whether the platform is well, and how to log in."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haikube.api.kernel.context import context_of
from haikube.api.kernel.endpoint import Room, json_response
from haikube.api.kernel.problems import Problem

room: Final = Room()


async def current_status(request: Request) -> Response:
    """Answer whether the platform is well, as far as this process can tell."""
    well = context_of(request).observed.complete
    systems = [
        {"system": system, "status": "green" if well else "yellow"}
        for system in ("Apps", "Data", "Tools")
    ]
    return json_response({"status": systems, "incidents": [], "scheduled": []})


async def browser_login(request: Request) -> Response:
    """Refuse a login in the browser: who somebody is, the cluster says."""
    del request
    raise Problem(
        422, "invalid_params", "Logins are those of the cluster: run haikube login in a terminal."
    )


room.routes += [
    Route("/api/v4/current-status", current_status, methods=["GET"]),
    Route("/auth", browser_login, methods=["POST"]),
]
