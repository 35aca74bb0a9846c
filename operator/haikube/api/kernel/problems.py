"""What the api answers when it refuses: an id and a message that holds value and remedy."""

from __future__ import annotations

from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from haikube.api.kernel.clusterwords import forbidden_words, quota_words
from haikube.cluster.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
)
from haikube.git.body import BodyDamaged, BodyTooLarge
from haikube.git.refusal import Busy, NotAllowed, Refused
from haikube.storage.port import StorageError

REALM: Final = 'Basic realm="Haikube: the password is your token, see haikube login"'

_IDS: Final = {400: "bad_request"}

_OURS: Final[tuple[tuple[type[Exception], int, str, str], ...]] = (
    (StorageError, 503, "service_unavailable", "{}. Nothing was changed; try again."),
    (BodyTooLarge, 413, "request_too_large", "{}: send less, or raise HAIKUBE_SOURCE_LIMIT."),
    (BodyDamaged, 400, "bad_request", "{}."),
)

_log = structlog.get_logger(__name__)


class Problem(Exception):
    """A refusal with HTTP ``status``, Heroku's ``id`` for it, and a message for a person."""

    def __init__(
        self,
        status: int,
        id: str,  # noqa: A002 - Heroku's word
        message: str,
        resource: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.id = id
        self.message = message
        self.resource = resource

    @property
    def body(self) -> dict[str, str]:
        """Return what is answered."""
        named = {"resource": self.resource} if self.resource else {}
        return {"id": self.id, "message": self.message, **named}


def unauthorized() -> Problem:
    """Return the refusal of a missing, wrong or expired token."""
    return Problem(
        401, "unauthorized", "The token is missing, wrong or expired. Run: haikube login"
    )


def not_found(what: str, name: str) -> Problem:
    """Return the refusal of something that does not exist, or that the caller may not see."""
    words = what.replace("_", " ")
    return Problem(404, "not_found", f"Couldn't find that {words}. {name:.80} was not found.", what)


def invalid(message: str) -> Problem:
    """Return the refusal of a wish that cannot be fulfilled as it is."""
    return Problem(422, "invalid_params", message)


def problem_of(error: Exception) -> Problem:
    """Return the refusal that fits any error of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ApiError):
        return _of_cluster(error)
    for kind, status, id_, message in _OURS:
        if isinstance(error, kind):
            return Problem(status, id_, message.format(error))
    if isinstance(error, Refused):
        return Problem(*_place(error), ". ".join((error.reason, *error.remedy)))
    _log.error("request failed", exc_info=error)
    return Problem(500, "internal_server_error", "Haikube failed. The log has this request's id.")


def _place(error: Refused) -> tuple[int, str]:
    """Return status and id of a refusal of git's side."""
    if isinstance(error, NotAllowed):
        return 403, "forbidden"
    return (429, "rate_limit") if isinstance(error, Busy) else (422, "invalid_params")


def _of_cluster(error: ApiError) -> Problem:
    if isinstance(error, Unauthorized):
        return unauthorized()
    if isinstance(error, Conflict):  # a short race: no client knows what to do with a 409
        return Problem(
            503, "service_unavailable", "Somebody else changed this just now. Try again."
        )
    if isinstance(error, Forbidden) and (words := quota_words(error.message)):
        return invalid(words)
    if isinstance(error, Forbidden):
        return Problem(403, "forbidden", forbidden_words(error.message))
    kinds: tuple[tuple[type[ApiError], int, str], ...] = (
        (NotFound, 404, "not_found"),
        (Invalid, 422, "invalid_params"),
        (TooManyRequests, 429, "rate_limit"),
    )
    for kind, status, id_ in kinds:
        if isinstance(error, kind):
            return Problem(status, id_, error.message)
    return Problem(503, "service_unavailable", f"Kubernetes did not answer: {error.message}")


def _of_http(request: Request, error: HTTPException) -> Problem:
    """Return the refusal of a path or method that nothing is declared for."""
    path, method = request.url.path, request.method
    if error.status_code in {404, 405}:
        return Problem(404, "not_found", f"There is no {method} {path:.80} on this platform.")
    return Problem(error.status_code, _IDS.get(error.status_code, "error"), error.detail)


async def answer(request: Request, error: Exception) -> Response:
    """Turn an error into a response: plain text for git, which shows it, JSON for the rest.

    Git alone is asked for a password: a browser that remembered one would send it anywhere.
    """
    problem = _of_http(request, error) if isinstance(error, HTTPException) else problem_of(error)
    if ".git/" in request.url.path:
        headers = {"WWW-Authenticate": REALM} if problem.status == 401 else {}  # noqa: PLR2004
        return PlainTextResponse(f"{problem.message}\n", problem.status, headers)
    return JSONResponse(problem.body, problem.status)
