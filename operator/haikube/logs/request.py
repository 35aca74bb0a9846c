"""A request that the gateway served, as ``heroku[router]`` tells it.

Path, host and header come from strangers: they stay inside their quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from haikube.logs.line import HEROKU, ROUTER, Line, read_stamp

Entry = Mapping[str, Any]
"""One line of Traefik's access log; the store gives all values as texts."""

_PLAIN: Final = re.compile(r"[\w.:/-]+", re.ASCII)
_LONGEST: Final = 2000
_NANOSECONDS: Final = 1_000_000
_FIRST_ERROR: Final = 500

_CODES: Final = {
    "H10": "App crashed",
    "H12": "Request timeout",
    "H13": "Connection closed without response",
    "H14": "No web dynos running",
    "H15": "Idle connection",
    "H18": "Server Request Interrupted",
    "H19": "Backend connection timeout",
    "H20": "App boot timeout",
    "H27": "Client Request Interrupted",
    "H80": "Maintenance mode",
    "H99": "Platform error",
}
_BY_STATUS: Final = {499: "H27", 502: "H13", 503: "H14", 504: "H12"}
"""What a status means that the gateway itself gave, without an answer of any dyno."""


def host_of(entry: Entry) -> str:
    """Return the host that was asked for, without its port."""
    return str(entry.get("RequestHost") or "").lower()


def address_of(entry: Entry) -> str:
    """Return the address of the pod that was asked, empty when none was."""
    return str(entry.get("ServiceAddr") or "").rpartition(":")[0]


def router_line(entry: Entry, time: str, dyno: str) -> Line:
    """Return a line about a request; ``time`` is RFC 3339, ``dyno`` empty when none served it."""
    status = _number(entry, "DownstreamStatus")
    code = _code(entry, status)
    fields = {
        "at": "error" if code else "info",
        **({"code": code, "desc": _quoted(_CODES.get(code, ""))} if code else {}),
        "method": _bare(entry.get("RequestMethod")),
        "path": _quoted(str(entry.get("RequestPath") or "/")),
        "host": _bare(host_of(entry)),
        "request_id": _bare(entry.get("request_X-Request-Id")),
        "fwd": _quoted(str(entry.get("ClientHost") or "")),
        "dyno": dyno,
        "connect": f"{_overhead(entry)}ms",
        "service": f"{_number(entry, 'OriginDuration') // _NANOSECONDS}ms",
        "status": str(status),
        "bytes": str(_number(entry, "DownstreamContentSize")),
        "protocol": "https" if entry.get("TLSVersion") else "http",
    }
    text = " ".join(f"{name}={value}" for name, value in fields.items())
    return Line(read_stamp(time), HEROKU, ROUTER, text)


def _code(entry: Entry, status: int) -> str:
    """Return Heroku's code for a request that no dyno answered."""
    told = str(entry.get("downstream_Haikube-Error") or "")
    if told in _CODES:
        return told
    if _number(entry, "OriginStatus"):
        return ""
    return _BY_STATUS.get(status, "H99" if status >= _FIRST_ERROR else "")


def _overhead(entry: Entry) -> int:
    return _number(entry, "Overhead") // _NANOSECONDS


def _number(entry: Entry, name: str) -> int:
    try:
        return int(entry.get(name) or 0)
    except ValueError:
        return 0


def _bare(value: object) -> str:
    text = str(value or "")
    return text if _PLAIN.fullmatch(text) else _quoted(text) if text else ""


def _quoted(text: str) -> str:
    """Return a text in quotes, in ASCII: nothing in it ends the line or the quotes."""
    return json.dumps(text[:_LONGEST])
