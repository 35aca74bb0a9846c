"""Who is calling: a bearer token, reviewed by the cluster, and a client that acts with it.

The platform has no accounts of its own. RBAC of the cluster decides every action, because every
action is carried out with the caller's own token. A token is never stored or logged.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Protocol

from starlette.requests import Request

from haikube.api.kernel.identity import shown_user
from haikube.api.kernel.limits import FailureLimit, address_of
from haikube.api.kernel.problems import Problem, unauthorized
from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster
from haikube.model.resources import TOKEN_REVIEWS

_CACHE_SECONDS: Final = 10.0
_CACHED: Final = 10_000
_LONGEST_TOKEN: Final = 16_384
_SERVICE_ACCOUNT: Final = "system:serviceaccount:"


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
    token: str = field(repr=False, default="")
    acts_for: str = ""
    """Whose authorization it is, if it is one."""

    @property
    def email(self) -> str:
        """Return the name that answers show: what the cluster calls the caller, in short."""
        return shown_user(self.acts_for or self.username)

    @property
    def key(self) -> str:
        """Return what tells two callers with different rights apart."""
        return "\0".join((self.username, *sorted(self.groups)))

    @property
    def namespace(self) -> str:
        """Return the namespace a service account lives in, empty for people."""
        if not self.username.startswith(_SERVICE_ACCOUNT):
            return ""
        return self.username.removeprefix(_SERVICE_ACCOUNT).partition(":")[0]

    @property
    def account(self) -> str:
        """Return the name of a service account, empty for people."""
        if not self.username.startswith(_SERVICE_ACCOUNT):
            return ""
        return self.username.removeprefix(_SERVICE_ACCOUNT).partition(":")[2]


_Review = tuple[str, frozenset[str]] | None
"""Name and groups; None for a token that is nobody's."""


class Authenticator:
    """Reviews tokens with the api's own identity; remembers answers for at most 10 seconds.

    Wrong tokens are remembered, too, and an address that brings many of them has to wait: a
    review costs the cluster a call.
    """

    def __init__(self, cluster: Impersonator) -> None:
        self._cluster = cluster
        self._known: dict[bytes, tuple[float, _Review]] = {}
        self._limit = FailureLimit()

    async def caller(self, request: Request) -> Caller:
        """Return who sent a request; raises a 401 ``Problem``, or a 429 after many of them."""
        token = token_of(request.headers.get("authorization", ""))
        if not token:
            raise unauthorized()
        review = await self._review(token, address_of(request))
        if review is None:
            raise unauthorized()
        return Caller(*review, self._cluster.with_token(token), token)

    async def holder(self, token: str) -> Caller | None:
        """Return whose token this is that was sealed earlier; None when it is nobody's any more."""
        review = await self._review(token, None)
        return Caller(*review, self._cluster.with_token(token), token) if review else None

    def forget(self) -> None:
        """Review every token again: one was revoked."""
        self._known.clear()

    async def _review(self, token: str, address: str | None) -> _Review:
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known and known[0] > monotonic():
            return known[1]
        stranger = known is None or known[1] is None
        if address is not None and stranger:  # who was known before need not wait for others
            self._limit.check(address)
        review = await self._ask(token)
        if review is None and address is not None:
            self._limit.failed(address)
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[digest] = (monotonic() + _CACHE_SECONDS, review)
        return review

    async def _ask(self, token: str) -> _Review:
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
            return None
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
