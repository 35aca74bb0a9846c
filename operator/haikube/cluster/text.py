"""JSON as it goes over the wire and into memory."""

from __future__ import annotations

import json
from typing import Any


def encoded(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Return the text of a value."""
    return json.dumps(value, separators=(",", ":")).encode()


def decoded(text: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a text; raises ``ValueError``."""
    return json.loads(text)
