"""JSON as it goes over the wire and into memory: ``orjson``, several times as fast as Python's own.

It refuses what is no Unicode (half of a surrogate pair) and keys that are no text. Python's own
takes both, so that no value that somebody has typed ends a call here. A whole number over 64 bits
becomes a float, as it does in an API server.
"""

from __future__ import annotations

import json
from typing import Any

import orjson


def encoded(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Return the text of a value."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def decoded(text: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a text; raises ``ValueError``."""
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)
