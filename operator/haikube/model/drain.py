"""Drain: where an app's log is sent to. Its URL may hold a password, so it lives in a Secret."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

Raw = Mapping[str, Any]

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SCHEMES: Final = {"https": 443, "syslog+tls": 6514}
"""What a drain may speak, and the usual port; nothing without TLS."""


@dataclass(frozen=True, slots=True)
class Drain:
    """One target; ``token`` is what it knows the app by."""

    id: str
    url: str
    token: str
    created: str

    @property
    def scheme(self) -> str:
        """Return ``https`` or ``syslog+tls``."""
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """Return the host to connect to."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Return the port to connect to."""
        return urlsplit(self.url).port or SCHEMES[self.scheme]


def parse_drains(secret: Raw) -> tuple[Drain, ...]:
    """Return the drains in a Secret, oldest first; what is none is left out."""
    data: Mapping[str, str] = secret.get("data") or {}
    found = (_drain(key, text) for key, text in data.items() if _ID.fullmatch(key))
    return tuple(sorted((each for each in found if each), key=lambda each: each.created))


def drain_data(drain: Drain) -> dict[str, str]:
    """Return what a Secret holds for a drain, as ``data``."""
    told = {"url": drain.url, "token": drain.token, "created": drain.created}
    return {drain.id: base64.b64encode(json.dumps(told).encode()).decode()}


def url_problem(url: str) -> str:
    """Return what is wrong with the URL of a drain, empty when nothing is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it is no URL"
    if parts.scheme not in SCHEMES:
        return f"its scheme must be one of {', '.join(SCHEMES)}: a log holds secrets"
    plain = url.isascii() and url.isprintable() and " " not in url
    if not parts.hostname or not plain or port == 0:
        return "it names no host"
    if parts.scheme == "syslog+tls" and (parts.path.strip("/") or parts.query):
        return "syslog+tls takes a host and a port alone"
    return ""


def _drain(id_: str, coded: str) -> Drain | None:
    try:
        told = json.loads(base64.b64decode(coded))
        drain = Drain(id_, str(told["url"]), str(told["token"]), str(told["created"]))
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
    return None if url_problem(drain.url) else drain
