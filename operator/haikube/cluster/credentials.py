"""How to reach and convince an API server."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Token = Callable[[], Awaitable[str]]
"""Returns the bearer token of this moment, or "" for none."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """One API server and one identity; ``bare_tls`` is the same server without our certificate."""

    server: str
    token: Token
    tls: ssl.SSLContext | None = None
    bare_tls: ssl.SSLContext | None = None
    server_hostname: str | None = None


def static_token(value: str) -> Token:
    """Return a token that never changes."""

    async def token() -> str:
        return value

    return token
