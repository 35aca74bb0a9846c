"""Statuses compared by meaning: neither the order of named things nor an empty list differs."""

from __future__ import annotations

from typing import Any

_NAMES = ("type", "name")
_NESTED = (dict, list, tuple)
_NOTHING: tuple[Any, ...] = ([], {})
"""The server stores some of these as absent."""


def without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value without members that are None, at any depth."""
    if isinstance(value, dict):
        return {
            key: without_nulls(item) if isinstance(item, _NESTED) else item
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list | tuple):
        return [without_nulls(item) if isinstance(item, _NESTED) else item for item in value]
    return value


def same_status(live: Any, wanted: Any) -> bool:  # noqa: ANN401 - any JSON
    """Return whether two statuses say the same; the first difference ends the comparison."""
    if live == wanted:
        return True
    if isinstance(live, dict) and isinstance(wanted, dict):
        keys = _said(live)
        return keys == _said(wanted) and all(same_status(live[key], wanted[key]) for key in keys)
    if isinstance(live, list) and isinstance(wanted, list) and len(live) == len(wanted):
        return all(map(same_status, _in_order(live), _in_order(wanted)))
    return False


def _said(value: dict[str, Any]) -> set[str]:
    return {key for key, item in value.items() if item not in _NOTHING}


def _in_order(items: list[Any]) -> list[Any]:
    for name in _NAMES:
        if items and all(isinstance(item, dict) and name in item for item in items):
            return sorted(items, key=lambda item: str(item[name]))
    return items
