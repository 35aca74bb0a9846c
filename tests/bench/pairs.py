"""Figures that mean something on a noisy machine: interleaved pairs, medians, ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

Seconds = tuple[float, float]
"""Ours and the reference's, measured one after the other."""

HEAD = (
    "| benchmark | ours | reference | ratio (median) | worst | limit | kept | how |\n"
    "|---|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True)
class Measured:
    """One line of the table; ``goal`` says whether the ratio is of times or of speeds."""

    name: str
    pairs: tuple[Seconds, ...]
    goal: Literal["at most", "at least"]
    limit: float
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """Times ours by reference, or speeds ours by reference."""
        if self.goal == "at most":
            return [ours / reference for ours, reference in self.pairs]
        return [reference / ours for ours, reference in self.pairs]

    @property
    def median(self) -> float:
        """The ratio that is held against the limit."""
        return statistics.median(self.ratios)

    @property
    def kept(self) -> bool:
        """Tell whether the limit is kept."""
        return self.median <= self.limit if self.goal == "at most" else self.median >= self.limit

    def row(self) -> str:
        """Return the line of the Markdown table."""
        ours, reference = (statistics.median(side) for side in zip(*self.pairs, strict=True))
        worst = max(self.ratios) if self.goal == "at most" else min(self.ratios)
        cells = (
            self.name,
            f"{ours:.2f} s",
            f"{reference:.2f} s",
            f"{self.median:.2f}",
            f"{worst:.2f}",
            f"{self.goal} {self.limit:g}",
            "yes" if self.kept else "**no**",
            f"{len(self.pairs)} pairs; {self.note}",
        )
        return "| " + " | ".join(cells) + " |\n"


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _measured(
    goal: Literal["at most", "at least"],
    name: str,
    pairs: list[Seconds],
    limit: float,
    note: str = "",
) -> Measured:
    return Measured(name, tuple(pairs), goal, limit, note)


at_most = partial(_measured, "at most")
"""Judge times: the median of ours by the reference's must not exceed the limit."""

speed_at_least = partial(_measured, "at least")
"""Judge speeds: the median of ours by the reference's must reach the limit."""
