"""The bridge's key: what clients of this machine show it, and how it proves that it knows it."""

from __future__ import annotations

import hmac
import secrets


def new_key() -> str:
    """Return a key for a bridge: random, so that nobody guesses it."""
    return f"haikube-{secrets.token_urlsafe(30)}"


def proof(key: str, nonce: str) -> str:
    """Return what only a bridge that knows the key can answer to a nonce."""
    return hmac.digest(key.encode(), f"bridge {nonce}".encode(), "sha256").hex()
