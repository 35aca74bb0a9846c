"""Moments and durations as Kubernetes and Heroku write them; nothing here reads a clock."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

EPOCH = datetime.fromtimestamp(0, UTC)
_MINUTE = 60
_HOUR = 3600


def parse_time(text: str) -> datetime:
    """Return the moment of an RFC 3339 text.

    >>> parse_time("2026-01-02T03:04:05Z").isoformat()
    '2026-01-02T03:04:05+00:00'
    """
    return datetime.fromisoformat(text).astimezone(UTC)


@lru_cache(maxsize=128)  # one pass writes one moment many times
def format_time(moment: datetime) -> str:
    """Return a moment as Kubernetes writes it, to the second.

    >>> format_time(parse_time("2026-01-02T03:04:05.678+00:00"))
    '2026-01-02T03:04:05Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_duration(seconds: float) -> str:
    """Return a duration as kubectl prints ages.

    >>> [format_duration(each) for each in (0.4, 42, 90, 3661)]
    ['0s', '42s', '1m30s', '1h1m']
    """
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE}s"
    return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE}m"
