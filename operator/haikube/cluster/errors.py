"""What an API server may answer instead of an object, as types."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal: HTTP ``status``, Kubernetes ``reason`` and ``message`` as the server sent them."""

    def __init__(
        self, status: int, reason: str, message: str, *, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class Unauthorized(ApiError):
    """401: the token is missing, wrong or expired."""


class Forbidden(ApiError):
    """403: RBAC, quota or an admission policy says no."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409: a precondition or an optimistic lock failed."""


class AlreadyExists(Conflict):
    """409 with reason AlreadyExists."""


class Expired(ApiError):
    """410: the resource version is too old to watch from."""


class Invalid(ApiError):
    """422: schema or CEL refused the object."""


class TooManyRequests(ApiError):
    """429: try again after ``retry_after`` seconds."""


class Unreachable(ApiError):
    """No answer: the connection failed or timed out (status 0)."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    422: Invalid,
    429: TooManyRequests,
}


def from_status(
    status: int, reason: str, message: str, *, retry_after: float | None = None
) -> ApiError:
    """Return the error type that fits an HTTP status and Kubernetes reason."""
    kind = AlreadyExists if reason == "AlreadyExists" else _BY_STATUS.get(status, ApiError)
    return kind(status, reason, message, retry_after=retry_after)
