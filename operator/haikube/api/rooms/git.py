"""``/{app}.git``: authentication and look-up for git; the talking is ``haikube.git``'s."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from haikube.api.kernel.context import Context, context_of
from haikube.api.kernel.problems import Problem
from haikube.git.builds import Repository
from haikube.git.service import RECEIVE, SERVICES

_LFS: Final = "application/vnd.git-lfs+json"


async def advertise(request: Request) -> Response:
    """Answer what there is to fetch or to push onto."""
    context = context_of(request)
    repository = await _repository(context, request)
    service = request.query_params.get("service", "")
    if service not in SERVICES:
        raise Problem(403, "forbidden", "Only git's smart HTTP protocol is served: update git.")
    return await context.git.advertise(repository, service, request)


async def receive(request: Request) -> Response:
    """Answer a push."""
    context = context_of(request)
    repository = await _repository(context, request)
    _require_type(request, RECEIVE)
    return await context.git.receive(repository, request)


async def upload(request: Request) -> Response:
    """Answer a fetch."""
    context = context_of(request)
    repository = await _repository(context, request)
    _require_type(request, "git-upload-pack")
    return await context.git.upload(repository, request)


async def no_lfs(_request: Request) -> Response:
    """Say what a client of Git LFS prints: there is no store for its objects here.

    It knows nothing of the app, so it asks for no token, which such a client would look for first.
    """
    message = (
        "Haikube stores no Git LFS objects. Push without them: git push --no-verify heroku main. "
        "The build then has pointer files, which it counts and names: fetch their content in "
        "bin/pre_compile, or keep such files elsewhere."
    )
    return JSONResponse({"message": message}, 501, media_type=_LFS)


async def _repository(context: Context, request: Request) -> Repository:
    caller, app = await context.app(request)
    return context.repository(caller, app)


def _require_type(request: Request, service: str) -> None:
    """Refuse what a browser could be made to send."""
    wanted = f"application/x-{service}-request"
    if request.headers.get("content-type") != wanted:
        raise Problem(415, "bad_request", f"Content-Type must be {wanted}.")


ROUTES: Final = [
    Route("/{app}.git/info/refs", advertise, methods=["GET"]),
    Route("/{app}.git/git-receive-pack", receive, methods=["POST"]),
    Route("/{app}.git/git-upload-pack", upload, methods=["POST"]),
    Route("/{app}.git/info/lfs/{rest:path}", no_lfs, methods=["GET", "POST", "PUT"]),
]
