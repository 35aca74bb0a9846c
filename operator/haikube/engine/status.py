"""Statuses compared by meaning: neither the order of named things nor an empty list differs."""

from __future__ import annotations

from typing import Any

_NAMES = ("type", "name")
_NOTHING: tuple[Any, ...] = ([], {})
"""The server stores some of these as absent."""


def without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value without members that are None, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [without_nulls(item) for item in value]
    return value


def same_status(live: Any, wanted: Any) -> bool:  # noqa: ANN401 - any JSON
    """Return whether two statuses say the same."""
    return bool(_sorted(live) == _sorted(wanted))


def _sorted(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items() if item not in _NOTHING}
    if not isinstance(value, list):
        return value
    items = [_sorted(item) for item in value]
    for name in _NAMES:
        if items and all(isinstance(item, dict) and name in item for item in items):
            return sorted(items, key=lambda item: str(item[name]))
    return items
