"""Who may use the bridge: a client of this machine that shows the bridge's key.

A page in a browser can send requests to loopback, too, under a name of its own that it lets point
here. So the Host must be ours and an Origin, which only browsers send, may not be a stranger's.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Final

from haikube.bridge.refusals import Refusal, is_git

_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")

_NONE: Final = frozenset({"", "undefined"})
"""The Heroku CLI says ``Bearer undefined`` when it has no credentials."""


def require_local(headers: Mapping[str, str], port: int) -> None:
    """Raise a ``Refusal`` unless a request means this bridge and comes from no foreign page."""
    ours = {f"{name}:{port}" for name in _NAMES}
    host = headers.get("Host", "")
    if host.lower() not in ours:
        raise Refusal(
            421, f"This is the Haikube bridge at localhost:{port}, not {host[:80] or 'no host'}."
        )
    origin = headers.get("Origin")
    if origin is not None and origin.partition("://")[2].lower() not in ours:
        raise Refusal(403, f"A page of {origin[:80]} may not talk to the Haikube bridge.")


def shows_key(headers: Mapping[str, str], path: str, key: str) -> bool:
    """Tell whether a request shows the key; raises a ``Refusal`` for one that shows another.

    Without credentials a request goes on without any: links that are capabilities carry none. Git
    alone is asked for them.
    """
    shown = _shown(headers.get("Authorization", ""))
    if shown in _NONE:
        if is_git(path):
            raise Refusal(401, "Git has no credentials for the bridge. Run: haikube login")
        return False
    if hmac.compare_digest(shown.encode(), key.encode()):
        return True
    raise Refusal(
        403,
        "The bridge does not know this key. If HEROKU_API_KEY is set, unset it; "
        "if not, run: haikube login",
    )


def _shown(header: str) -> str:
    """Return what ``Bearer`` or the password of ``Basic`` says, empty for no credentials."""
    scheme, _, value = header.strip().partition(" ")
    if not value:
        return ""
    if scheme.lower() == "bearer":
        return value.strip()
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return "?"
