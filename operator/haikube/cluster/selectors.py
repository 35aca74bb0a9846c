"""Label and field selectors, as lists and watches take them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Object = Mapping[str, Any]
Test = Callable[[Object], bool]

_IN = re.compile(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)")
_COMMA_OUTSIDE = re.compile(r",(?![^(]*\))")


def matcher(labels: str = "", fields: str = "") -> Test:
    """Return a test of objects for both selectors; empty ones let everything through."""
    tests = [_label_test(part.strip()) for part in _COMMA_OUTSIDE.split(labels) if part.strip()]
    tests += [_field_test(part.strip()) for part in fields.split(",") if part.strip()]
    return lambda obj: all(test(obj) for test in tests)


def _labels(obj: Object) -> Mapping[str, str]:
    found: Mapping[str, str] = obj["metadata"].get("labels") or {}
    return found


def _label_test(part: str) -> Test:
    found = _IN.fullmatch(part)
    if found:
        key, verb, values = found.groups()
        wanted = {value.strip() for value in values.split(",")}
        return lambda obj: (_labels(obj).get(key) in wanted) == (verb == "in")
    if "=" in part:
        key, negated, value = _comparison(part)
        return lambda obj: (_labels(obj).get(key) == value) != negated
    if part.startswith("!"):
        return lambda obj: part[1:] not in _labels(obj)
    return lambda obj: part in _labels(obj)


def _field_test(part: str) -> Test:
    path, negated, value = _comparison(part)
    return lambda obj: (_field(obj, path) == value) != negated


def _field(obj: Any, path: str) -> str:  # noqa: ANN401 - any JSON
    for key in path.split("."):
        obj = obj.get(key) if isinstance(obj, Mapping) else None
    return "" if obj is None else str(obj)


def _comparison(part: str) -> tuple[str, bool, str]:
    left, _, value = part.partition("=")
    return left.rstrip("!").strip(), left.endswith("!"), value.lstrip("=").strip()
