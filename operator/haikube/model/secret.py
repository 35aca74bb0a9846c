"""Secret: config vars and presigned URLs; its data is compared, copied, and never printed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from haikube.model import labels
from haikube.model.meta import Meta, Raw, parse_meta
from haikube.model.names import CONFIG_VAR, LONGEST_STRING
from haikube.model.times import parse_time

_SIZE = ":"


@dataclass(frozen=True, slots=True)
class Secret:
    """``data`` is still base64, as Kubernetes holds it, or ``condensed``; left out of ``repr``."""

    meta: Meta
    data: Mapping[str, str] = field(repr=False)

    @property
    def config_vars(self) -> dict[str, str]:
        """Return the entries that can be environment variables."""
        return {key: value for key, value in self.data.items() if CONFIG_VAR.fullmatch(key)}

    @property
    def ignored(self) -> tuple[str, ...]:
        """Return the names that cannot be environment variables."""
        return tuple(sorted(key for key in self.data if not CONFIG_VAR.fullmatch(key)))

    @property
    def oversized(self) -> tuple[str, ...]:
        """Return the names of config vars with which Linux starts no program."""
        sizes = {name: len(name) + 2 + size_of(value) for name, value in self.config_vars.items()}
        return tuple(sorted(name for name, size in sizes.items() if size > LONGEST_STRING))

    @property
    def expires_at(self) -> datetime | None:
        """Return when the first presigned URL in it ends, or None."""
        text = self.meta.annotations.get(labels.EXPIRES_AT)
        return parse_time(text) if text else None


def parse_secret(obj: Raw) -> Secret:
    """Return the Secret in a raw object."""
    return Secret(meta=parse_meta(obj), data=obj.get("data") or {})


def condensed(text: str) -> str:
    """Return a digest in the place of a value, and its size where that may matter."""
    digest, size = hashlib.blake2b(text.encode(), digest_size=12).hexdigest(), size_of(text)
    return f"{digest}{_SIZE}{size}" if size > LONGEST_STRING // 2 else digest


def size_of(text: str) -> int:
    """Return the bytes that a value has, in base64 or condensed."""
    _, marked, size = text.partition(_SIZE)
    return int(size) if marked else len(text) * 3 // 4 - text[-2:].count("=")
