"""Who is calling: a bearer token, reviewed by the cluster, and a client that acts with it.

The platform has no accounts of its own. RBAC of the cluster decides every action, because every
action is carried out with the caller's own token. A token is never stored or logged.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

from starlette.requests import Request

from haikube.api.kernel.problems import Problem, unauthorized
from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster
from haikube.model.resources import TOKEN_REVIEWS

_CACHE_SECONDS: Final = 30.0
_CACHED: Final = 10_000
_LONGEST_TOKEN: Final = 16_384


class Impersonator(Cluster, Protocol):
    """A cluster that can also be used with the token of somebody else."""

    def with_token(self, token: str) -> Cluster:
        """Return a client that acts as the owner of ``token``."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a valid token, and the cluster as they may use it."""

    username: str
    groups: frozenset[str]
    cluster: Cluster

    @property
    def namespace(self) -> str:
        """Return the namespace a service account lives in, empty for people."""
        kind, _, rest = self.username.partition(":serviceaccount:")
        return rest.partition(":")[0] if kind == "system" else ""


class Authenticator:
    """Reviews tokens with the api's own identity; remembers answers for at most 30 seconds."""

    def __init__(self, cluster: Impersonator) -> None:
        self._cluster = cluster
        self._known: dict[bytes, tuple[float, str, frozenset[str]]] = {}

    async def caller(self, request: Request) -> Caller:
        """Return who sent a request; raises a 401 ``Problem``."""
        token = token_of(request.headers.get("authorization", ""))
        if not token:
            raise unauthorized()
        username, groups = await self._review(token)
        return Caller(username, groups, self._cluster.with_token(token))

    async def _review(self, token: str) -> tuple[str, frozenset[str]]:
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known and known[0] > monotonic():
            return known[1], known[2]
        username, groups = await self._ask(token)
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[digest] = (monotonic() + _CACHE_SECONDS, username, groups)
        return username, groups

    async def _ask(self, token: str) -> tuple[str, frozenset[str]]:
        body = {
            "apiVersion": TOKEN_REVIEWS.api_version,
            "kind": TOKEN_REVIEWS.kind,
            "metadata": {},
            "spec": {"token": token},
        }
        try:
            review = await self._cluster.create(TOKEN_REVIEWS, body)
        except ApiError as error:
            raise Problem(
                503,
                "service_unavailable",
                f"Kubernetes did not review the token ({error.status} {error.reason}). Try again.",
            ) from None
        status = review.get("status") or {}
        user = status.get("user") or {}
        if not status.get("authenticated") or not user.get("username"):
            raise unauthorized()
        return user["username"], frozenset(user.get("groups") or ())


def token_of(header: str) -> str:
    """Return the token of an Authorization header, empty when there is none that could be one.

    ``Bearer TOKEN``, or ``Basic`` with any user name and the token as the password, as git and
    the Heroku command line send it.
    """
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "basic":
        value = _password(value)
    elif scheme.lower() != "bearer":
        return ""
    plain = value.isascii() and value.isprintable() and " " not in value
    return value if plain and len(value) <= _LONGEST_TOKEN else ""


def _password(value: str) -> str:
    try:
        decoded = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return decoded.partition(":")[2]
