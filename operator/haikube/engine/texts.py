"""Texts kept once: the objects of a cluster repeat each other's keys, labels, uids and moments.

Each answer of the API server brings its own copy of all of them, so that what is kept of an object
would be mostly copies.
"""

from __future__ import annotations

from sys import intern as _intern
from typing import Any

_LONGEST = 64
"""Longer texts are messages and digests of their own: nobody else has the same."""


def shared(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return an equal value whose short texts are those of all other values."""
    kind = type(value)  # JSON has no subclasses, and this is the busiest function of a start
    if kind is dict:
        return {
            _intern(key): _text(each) if type(each) is str else shared(each)
            for key, each in value.items()
        }
    if kind is list:
        return [_text(each) if type(each) is str else shared(each) for each in value]
    return _text(value) if kind is str else value


def _text(text: str) -> str:
    return _intern(text) if len(text) <= _LONGEST else text
