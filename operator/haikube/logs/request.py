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

REFUSED: Final = "refused"
"""What the errors service calls a request that it answered."""

LOOK: Final = "haikube-looks-"
"""How ids of requests begin by which the platform looks whether a release answers."""

_PLAIN: Final = re.compile(r"[\w.:/-]+", re.ASCII)
_LONGEST: Final = 2000
_KEY: Final = 300
_NANOSECONDS: Final = 1_000_000
_FIRST_ERROR: Final = 500
_UNAVAILABLE: Final = 503
_SWITCHED: Final = 101

_CODES: Final = {
    "H12": "Request timeout",
    "H13": "Connection closed without response",
    "H15": "Idle connection",
    "H17": "Poorly formed HTTP response",
    "H18": "Server Request Interrupted",
    "H19": "Backend connection timeout",
    "H21": "Backend connection refused",
    "H27": "Client Request Interrupted",
    "H28": "Client Connection Idle",
    "H99": "Platform error",
}
"""What the gateway names when no dyno answered, or not to the end."""

_BROKEN_OFF: Final = frozenset({"H15", "H18"})
"""After these the visitor has had a status, and not the whole answer: Heroku says 503."""


def host_of(entry: Entry) -> str:
    """Return the host that was asked for, without its port."""
    host = str(entry.get("RequestHost") or entry.get("host") or "").lower()
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host


def is_of(entry: Entry, app: Mapping[str, Any]) -> bool:
    """Tell whether a request was an app's: by its route, or as the errors service says.

    A name of a route does not tell ``a`` with ``b-c`` from ``a-b`` with ``c``: its host has to be
    the app's as well.
    """
    meta = app["metadata"]
    if is_look(entry):
        return False
    if entry.get("event") == REFUSED:
        return (entry.get("namespace"), entry.get("app")) == (meta["namespace"], meta["name"])
    return str(entry.get("RouterName") or "").startswith(f"httproute-{meta['namespace']}-")


def is_look(entry: Entry) -> bool:
    """Tell whether the platform asked, not a visitor; whoever says so in vain asked for ``/``."""
    given = entry.get("request_X-Request-Id") or entry.get("request_id") or ""
    path = entry.get("RequestPath") or entry.get("path")
    return str(given).startswith(LOOK) and path == "/"


def address_of(entry: Entry) -> str:
    """Return the address of the pod that was asked, empty when none was."""
    return str(entry.get("ServiceAddr") or "").rpartition(":")[0]


def router_line(entry: Entry, time: str, dyno: str) -> Line:
    """Return a line about a request; ``time`` is RFC 3339, ``dyno`` empty when none served it."""
    if entry.get("event") == REFUSED:
        return _refused_line(entry, time)
    code = _code(entry)
    status = _status(entry, code)
    connect, service = _times(entry)
    fields = {
        "at": "error" if code else "info",
        **({"code": code, "desc": _quoted(_CODES.get(code, ""))} if code else {}),
        "method": _bare(entry.get("RequestMethod")),
        "path": _quoted(str(entry.get("RequestPath") or "/")),
        "host": _bare(host_of(entry)),
        "request_id": _bare(entry.get("request_X-Request-Id")),
        "fwd": _quoted(str(entry.get("ClientHost") or "")),
        "dyno": dyno,
        "connect": f"{connect}ms",
        "service": f"{service}ms",
        "status": str(status),
        "bytes": str(_number(entry, "DownstreamContentSize")),
        "protocol": "https" if entry.get("TLSVersion") else "http",
    }
    return _line(fields, time)


def _refused_line(entry: Entry, time: str) -> Line:
    """Return the line about a request that nobody could answer, in the words of its service."""
    code = str(entry.get("code") or "")
    fields = {
        "at": "error" if code else "info",
        **({"code": _bare(code), "desc": _quoted(str(entry.get("desc") or ""))} if code else {}),
        "method": _bare(entry.get("method")),
        "path": _quoted(str(entry.get("path") or "/")),
        "host": _bare(host_of(entry)),
        "request_id": _bare(entry.get("request_id")),
        "fwd": _quoted(str(entry.get("fwd") or "")),
        "dyno": "",
        "connect": "",
        "service": "",
        "status": str(_number(entry, "status")),
        "bytes": "",
        "protocol": _bare(entry.get("protocol")),
    }
    return _line(fields, time)


def _line(fields: Mapping[str, str], time: str) -> Line:
    text = " ".join(f"{name}={value}" for name, value in fields.items())
    at = read_stamp(time)
    # Who looks later may not know the dyno any more: the line is the same.
    return Line(at, HEROKU, ROUTER, text, f"{at} {fields['request_id']} {fields['path']}"[:_KEY])


def _code(entry: Entry) -> str:
    """Return Heroku's code for what went wrong; a stranger's request cannot bring one along."""
    code = str(entry.get("request_Haikube-Code") or "")
    if code in _CODES:
        return code
    unasked = not entry.get("ServiceAddr")
    return "H99" if unasked and _number(entry, "DownstreamStatus") >= _FIRST_ERROR else ""


def _status(entry: Entry, code: str) -> int:
    """Return the status that Heroku's router would write.

    Traefik knows none of a connection that it handed over to a WebSocket.
    """
    if code in _BROKEN_OFF:
        return _UNAVAILABLE
    return _number(entry, "DownstreamStatus") or _SWITCHED


def _times(entry: Entry) -> tuple[int, int]:
    """Return the milliseconds before a dyno was asked, and those that it took.

    An answer that broke off has all of its time in the first.
    """
    before, took = _number(entry, "Overhead"), _number(entry, "OriginDuration")
    if not took and entry.get("ServiceAddr"):
        before, took = 0, _number(entry, "Duration")
    return before // _NANOSECONDS, took // _NANOSECONDS


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
