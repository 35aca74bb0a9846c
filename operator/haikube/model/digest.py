"""One short name for the content of an object: equal content, equal digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import orjson

_DIGEST_BYTES = 16


def canonical(value: Any) -> str:  # noqa: ANN401 - JSON is what it is
    """Return the one JSON text of a value: sorted keys, no spaces."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # half of a surrogate pair, or a number over 64 bits
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(body: Mapping[str, Any]) -> str:
    """Return the digest of an object as it is wanted."""
    return hashlib.blake2b(canonical(body).encode(), digest_size=_DIGEST_BYTES).hexdigest()
