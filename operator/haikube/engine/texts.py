"""Texts kept once: the objects of a cluster repeat each other's keys, labels, uids and moments.

Each answer of the API server brings its own copy of all of them, so that what is kept of an object
would be mostly copies.
"""

from __future__ import annotations

import sys
from typing import Any

_LONGEST = 64
"""Longer texts are messages and digests of their own: nobody else has the same."""


def shared(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return an equal value whose short texts are those of all other values."""
    if isinstance(value, str):
        return sys.intern(value) if len(value) <= _LONGEST else value
    if isinstance(value, dict):
        return {sys.intern(key): shared(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shared(item) for item in value]
    return value
