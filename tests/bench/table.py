"""The table of the scale benchmark, and its place in ``docs/benchmarks.md``."""

from __future__ import annotations

import os
import platform
import statistics
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for its annotations alone: that module imports this one
    from bench.scale import Seen

REPORT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
TITLE = "## At scale"
_INTRODUCTION = f"""{TITLE}

Made by `make bench-scale` on a real API server. The operator is stopped while Apps with a finished
build, a `web` and a `worker` are made; the reference is a bare client that writes the very same,
each object once and one status each, 20 requests at a time.

"""
_STATUS = " status"


def rows(seen: Seen, moment: datetime) -> str:
    """Return the section of one run."""
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    made = f"{seen.wish.apps} Apps, {seen.wish.dynos} dynos of each type"
    around = "an API server and nothing else" if seen.wish.alone else "a whole local cluster"
    load = f"load {os.getloadavg()[0]:.0f}"
    return "".join(
        (
            f"{moment:%Y-%m-%d %H:%M} UTC, {where}, {load}; {around}; {made}\n\n",
            "| figure | ours | bare client | ratio | limit |\n|---|---|---|---|---|\n",
            *(
                f"| {n} | {o} | {r} | {q:.2f} | {most or ''} |\n"
                for n, o, r, q, most in _beside(seen)
            ),
            "\n| figure | ours | limit |\n|---|---|---|\n",
            *(f"| {name} | {value} | {limit} |\n" for name, value, limit in _counted(seen)),
            "\n| kind | writes per App | least |\n|---|---|---|\n",
            *_by_kind(seen),
        )
    )


def _beside(seen: Seen) -> tuple[tuple[str, str, str, float, float | None], ...]:
    """Return the figures that have a reference in the same run."""
    writes, least = seen.work.total, sum(seen.least.values())
    ours, bare = seen.latencies
    start, empty_start = seen.restart
    return (
        (
            "until all are Ready",
            f"{seen.ready:.1f} s",
            f"{seen.bare.seconds:.1f} s",
            seen.ready / seen.bare.seconds,
            1.6,
        ),
        (
            "CPU per App",
            f"{1000 * seen.work.cpu / seen.wish.apps:.1f} ms, at most 8",
            f"{1000 * seen.bare.cpu / seen.wish.apps:.1f} ms",
            seen.work.cpu / seen.bare.cpu,
            None,
        ),
        ("writes", f"{writes:.0f}", f"{least}", writes / least, 1.2),
        (
            "restart, until it leads",
            f"{start - empty_start:.1f} s",
            f"{seen.listing:.1f} s",
            (start - empty_start) / seen.listing,
            4,
        ),
        (
            "scale → Deployment patched, p99",
            f"{1000 * _p99(ours):.0f} ms",
            f"{1000 * _p99(bare):.0f} ms",
            _p99(ours) / _p99(bare),
            None,
        ),
        (
            "scale → Deployment patched, median",
            f"{1000 * statistics.median(ours):.0f} ms",
            f"{1000 * statistics.median(bare):.0f} ms",
            statistics.median(ours) / statistics.median(bare),
            None,
        ),
    )


def _counted(seen: Seen) -> tuple[tuple[str, str, str], ...]:
    """Return the figures that have a limit alone."""
    apps = seen.wish.apps
    return (
        (
            "memory per fresh App",
            f"{(seen.fresh.memory - seen.empty.memory) / apps / 1000:.0f} kB",
            "40 kB",
        ),
        ("writes of a restart", f"{seen.fresh.total - seen.empty.total:.0f}", "0"),
        (f"writes in {seen.wish.idle} s of idling", f"{seen.idle.total:.0f}", "0"),
    )


def _by_kind(seen: Seen) -> Iterator[str]:
    """Yield a line for each kind of write; the status of an object is one of its own."""
    made: Counter[str] = Counter()
    for (kind, verb), count in seen.work.writes.items():
        made[f"{kind}{_STATUS if verb == 'apply_status' else ''}"] += int(count)
    for kind in sorted(made.keys() | seen.least.keys()):
        if made[kind] or seen.least.get(kind):
            least = seen.least.get(kind, 0) / seen.wish.apps
            yield f"| {kind} | {made[kind] / seen.wish.apps:.2f} | {least:.2f} |\n"


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def keep(text: str) -> None:
    """Put the section of this run in the place of the one before."""
    before, _, _ = REPORT.read_text().partition(TITLE)
    REPORT.write_text(f"{before.rstrip()}\n\n{_INTRODUCTION}{text}")
