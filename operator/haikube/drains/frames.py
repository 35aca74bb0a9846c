"""Lines as syslog, the way log drains expect them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from haikube.logs.line import APP, ROUTER, Line

_APP, _ROUTER, _PLATFORM = 190, 158, 45
"""Facility and severity as Heroku sends them: local7.info, local3.info, syslog.notice."""

_MICROSECONDS: Final = 26


def logplex_body(lines: Iterable[Line]) -> bytes:
    r"""Return the body of a request in logplex framing: each message behind its length.

    >>> logplex_body([Line("2026-01-02T03:04:05.123456789", "app", "web.1", "hi")])
    b'62 <190>1 2026-01-02T03:04:05.123456+00:00 host app web.1 - hi\n'
    """
    return b"".join(_counted(f"{_head(line, 'host')} - {line.text}\n") for line in lines)


def syslog_frames(lines: Iterable[Line], token: str) -> bytes:
    """Return RFC 5424 messages for a TLS stream; the token stands for the host, as on Heroku."""
    return b"".join(_counted(f"{_head(line, token)} - - {line.text}") for line in lines)


def _head(line: Line, host: str) -> str:
    time = f"{line.time[:_MICROSECONDS]}+00:00"
    return f"<{_priority(line)}>1 {time} {host} {line.source} {line.dyno}"


def _priority(line: Line) -> int:
    if line.source == APP:
        return _APP
    return _ROUTER if line.dyno == ROUTER else _PLATFORM


def _counted(message: str) -> bytes:
    data = message.encode()
    return b"%d %s" % (len(data), data)
