"""How much one address may cost: wrong tokens per minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

from starlette.requests import Request

from haikube.api.kernel.problems import Problem

_FAILURES: Final = 60
_WINDOW: Final = 60.0
_ADDRESSES: Final = 10_000


class FailureLimit:
    """Counts failures per address over the last minute; ``clock`` is in seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, deque[float]] = {}

    def check(self, address: str) -> None:
        """Raise a 429 ``Problem`` for an address with too many failures."""
        failures = self._failures.get(address, deque())
        while failures and failures[0] < self._clock() - _WINDOW:
            failures.popleft()
        if len(failures) >= _FAILURES:
            raise Problem(
                429,
                "rate_limit",
                "Too many wrong tokens came from your address. Wait a minute, then: haikube login",
            )

    def failed(self, address: str) -> None:
        """Count one."""
        if len(self._failures) >= _ADDRESSES:
            self._failures.clear()
        self._failures.setdefault(address, deque(maxlen=_FAILURES)).append(self._clock())


def address_of(request: Request) -> str:
    """Return who is asking: the peer, and whom the gateway before us says it speaks for."""
    peer = request.client.host if request.client else ""
    told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return f"{peer} {told[:64]}"
