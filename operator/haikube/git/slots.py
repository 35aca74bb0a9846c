"""How much may run at once: in all, and for one person, so that nobody keeps the others out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from haikube.git.refusal import Busy


class Slots:
    """Room for ``most`` of ``what`` (a plural), ``each`` of them for one person."""

    def __init__(self, what: str, *, most: int, each: int) -> None:
        self._what = what
        self._most = most
        self._each = each
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, person: str) -> Iterator[None]:
        """Hold a slot; raises ``Busy`` where there is none."""
        if self._taken[person] >= self._each:
            raise Busy(f"{self._each} {self._what} of {person} run already", "Wait for one to end")
        if self._taken.total() >= self._most:
            raise Busy(f"{self._most} {self._what} run here already", "Try again in a minute")
        self._taken[person] += 1
        try:
            yield
        finally:
            self._taken[person] -= 1
            self._taken += Counter()  # forgets those who hold none
