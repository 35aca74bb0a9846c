"""Why a push is refused: what happened and what to do, as values."""

from __future__ import annotations


class Refused(Exception):
    """A push that must not move a ref; ``reason`` and ``remedy`` are lines for a person."""

    def __init__(self, reason: str, *remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class NotAllowed(Refused):
    """The caller has not the right."""


class Busy(Refused):
    """There is no room for it now."""
