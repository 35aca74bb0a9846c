"""Links that act as their caller: what is wished and the caller's own token, sealed for us alone.

Heroku's clients send no credentials to logs and sessions, and yet these are read and joined with
the caller's rights. Every replica can open a seal, because the key comes from the one that all of
them share; nobody else learns the token from it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import time
import zlib
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from haikube.api.kernel.problems import Problem

_PURPOSE: Final = b"haikube seal 1"
_NONCE: Final = 12
_LONGEST: Final = 16_384
_LARGEST: Final = 1 << 16


class Seals:
    """Seals and opens."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, _PURPOSE, "sha256")
        self._cipher = AESGCM(self._key)

    def seal(self, act: str, wish: dict[str, Any], seconds: float) -> str:
        """Return text for a URL that holds a wish for one act, for so many seconds."""
        plain = json.dumps([int(time.time() + seconds), wish], separators=(",", ":"))
        nonce = secrets.token_bytes(_NONCE)
        packed = zlib.compress(plain.encode(), 9)
        sealed = nonce + self._cipher.encrypt(nonce, packed, act.encode())
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, act: str, text: str, *, renewed: bool = False) -> dict[str, Any]:
        """Return the wish; raises a ``Problem``: 404 for what is no seal, 410 for an old one.

        ``renewed`` tells that its holder has shown a later proof: then its age does not matter.
        """
        try:
            sealed = base64.b64decode(
                text[:_LONGEST] + "=" * (-len(text) % 4), b"-_", validate=True
            )
            packed = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], act.encode())
        except (binascii.Error, ValueError, InvalidTag):
            raise Problem(404, "not_found", "This link is not valid.") from None
        until, wish = json.loads(zlib.decompressobj().decompress(packed, _LARGEST))
        if until < time.time() and not renewed:
            raise Problem(410, "gone", "This link has expired: ask for another one.")
        return dict(wish)

    def proof(self, text: str, moment: str) -> str:
        """Return what shows that a seal was in use at a moment."""
        return hmac.digest(self._key, f"{text}\n{moment}".encode(), "sha256").hex()[:24]
