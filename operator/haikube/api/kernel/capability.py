"""Links that carry their own permission: one act on one thing until a time, signed.

Heroku's clients send no credentials to upload and stream URLs. Every replica can check a link,
because the key comes from the one that all of them share.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Final

from haikube.api.kernel.problems import Problem

_PURPOSE: Final = b"haikube capability 1"
_LONGEST: Final = 4096


class Capabilities:
    """Makes and checks links."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, _PURPOSE, "sha256")

    def grant(self, act: str, subject: str, seconds: float) -> str:
        """Return text for a URL that allows ``act`` on ``subject`` for ``seconds``."""
        claims = json.dumps([act, subject, int(time.time() + seconds)]).encode()
        return f"{_encode(claims)}.{_encode(self._sign(claims))}"

    def check(self, text: str, act: str) -> str:
        """Return the subject that ``text`` allows ``act`` on; raises a 404 ``Problem``."""
        refused = Problem(404, "not_found", "This link is not valid, or it has expired.")
        try:
            claims, signature = (_decode(part) for part in text[:_LONGEST].split("."))
        except ValueError:
            raise refused from None
        if not hmac.compare_digest(signature, self._sign(claims)):
            raise refused
        granted, subject, expires = json.loads(claims)
        if granted != act or expires < time.time():
            raise refused
        return str(subject)

    def _sign(self, claims: bytes) -> bytes:
        return hmac.digest(self._key, claims, hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Return the bytes of what `_encode` wrote, and only of that.

    Base64 has spare bits in its last character, so several texts stand for the same bytes: one
    link must have one spelling.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if _encode(data) != text:
        raise ValueError("not the canonical spelling")
    return data
