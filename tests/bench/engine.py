"""Our part of a build: everything but the buildpack's compile, for a slug of about 100 MB.

The engine builds a real app in the stack's images, without a cluster, so that no pod's start and
no network is in the figure. What a compile takes is read off the moments of the log's lines.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import sample_apps
from haikube.build.harness.rehearsal import Rehearsed, Stage, build
from haikube.cli.buildpacks import stage_in

RUNS = 5
LIMIT = 3.0
_BEFORE = b"app detected"
_AFTER = b"Discovering process types"


@dataclass(frozen=True)
class Told:
    """How a build went, and when it said what."""

    outcome: Rehearsed
    seconds: float
    compile_seconds: float

    @property
    def ours(self) -> float:
        """Seconds that the engine took for itself."""
        return self.seconds - self.compile_seconds


def run(scratch: Path) -> list[tuple[str, str, bool]]:
    """Return (name, what was seen, kept), once for first builds and once for rebuilds."""
    app = scratch / "engine"
    app.mkdir()
    sample_apps.plain(app)
    (app / "requirements.txt").write_text("numpy\npandas\nscipy\n")
    with stage_in(scratch / "stage") as stage:
        firsts, again = [], []
        for _ in range(RUNS):
            (stage.objects.folder / "cache.tar.zst").unlink(missing_ok=True)
            firsts.append(_timed(stage, app))
            again.append(_timed(stage, app))
    return [_row("first build", firsts), _row("rebuild, nothing changed", again)]


def _row(kind: str, builds: list[Told]) -> tuple[str, str, bool]:
    ours = [each.ours for each in builds]
    megabytes = builds[0].outcome.result["slug"]["sizeBytes"] / 1e6
    median = statistics.median(ours)
    said = (
        f"{median:.2f} s (worst {max(ours):.2f}), slug of {megabytes:.0f} MB, at most {LIMIT:g} s"
    )
    return (f"our part of a {kind}", said, median <= LIMIT)


def _timed(stage: Stage, app: Path) -> Told:
    reading, writing = os.pipe()
    moments: dict[bytes, float] = {}
    reader = threading.Thread(target=_listen, args=(reading, moments))
    reader.start()
    stage.fresh("build")  # to remove what the last build left is no part of this one
    started = time.monotonic()
    try:
        outcome = build(stage, app, output=writing)
        seconds = time.monotonic() - started
    finally:
        os.close(writing)
        reader.join()
    assert outcome.succeeded, outcome.result
    return Told(outcome, seconds, moments[_AFTER] - moments[_BEFORE])


def _listen(reading: int, moments: dict[bytes, float]) -> None:
    """Note when the lines came between which the buildpack's compile runs."""
    with os.fdopen(reading, "rb") as lines:
        for line in lines:
            for mark in (_BEFORE, _AFTER):
                if mark in line:
                    moments.setdefault(mark, time.monotonic())
