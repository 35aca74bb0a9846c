"""Secret: config vars and presigned URLs; its data is compared, copied, and never printed."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from haikube.model import labels
from haikube.model.meta import Meta, Raw, parse_meta
from haikube.model.names import CONFIG_VAR, LONGEST_STRING
from haikube.model.times import parse_time

_MARK = ":"
"""Ends the digest in a condensed value, which no base64 has; what matters of the value follows."""

_NO_TEXT = "!"


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
    def oversized(self) -> Mapping[str, int]:
        """Return the config vars with which Linux starts no program, and their bytes."""
        sizes = {name: len(name) + 2 + size_of(value) for name, value in self.config_vars.items()}
        return {name: sizes[name] for name in sorted(sizes) if sizes[name] > LONGEST_STRING}

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Return the names of config vars that no container can be given, being no text."""
        found = self.config_vars.items()
        return tuple(sorted(name for name, value in found if not _holds_text(value)))

    @property
    def is_usable(self) -> bool:
        """Return whether dynos could start with these config vars."""
        return not (self.oversized or self.unreadable)

    @property
    def expires_at(self) -> datetime | None:
        """Return when the first presigned URL in it ends, or None."""
        text = self.meta.annotations.get(labels.EXPIRES_AT)
        return parse_time(text) if text else None


def parse_secret(obj: Raw) -> Secret:
    """Return the Secret in a raw object."""
    return Secret(meta=parse_meta(obj), data=obj.get("data") or {})


def condensed(text: str) -> str:
    """Return a digest in the place of a value, and what may matter of it: size, and no text.

    >>> condensed("AAA=")[-2:], condensed("eA==")[-1:], size_of(condensed("eHh4" * 40_000))
    (':!', ':', 120000)
    """
    digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
    if not _holds_text(text):
        return f"{digest}{_MARK}{_NO_TEXT}"
    size = size_of(text)
    return f"{digest}{_MARK}{size if size > LONGEST_STRING // 2 else ''}"


def size_of(text: str) -> int:
    """Return the bytes that a value has, in base64 or condensed; 0 for a small condensed one."""
    _, marked, size = text.partition(_MARK)
    if marked:
        return int(size) if size.isdecimal() else 0
    return len(text) * 3 // 4 - text[-2:].count("=")


def is_text(value: bytes) -> bool:
    """Return whether a value can be in an environment: for CRI, UTF-8 without zero bytes."""
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False


def _holds_text(text: str) -> bool:
    """Return that of a value in base64 or condensed."""
    _, marked, said = text.partition(_MARK)
    if marked:
        return said != _NO_TEXT
    try:
        return is_text(base64.b64decode(text))
    except binascii.Error:
        return False
