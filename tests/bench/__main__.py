"""Run the benchmarks on the local cluster and keep the table in ``docs/benchmarks.md``.

usage: python -m bench [push] [slug] [engine] [quiet] [living] [reading]     (default: all of them)
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import engine, living, push, quiet, reading, slug
from bench.pairs import HEAD, Measured
from bench.table import REPORT, TITLE
from terminal import Person, log_in

ALL = ("push", "slug", "engine", "quiet", "living", "reading")
_INTRODUCTION = """# Benchmarks

Made by `make bench` on the local cluster. Absolute times are those of one small machine and noisy;
what counts is the ratio against a reference that was measured by turns in the same run.

"""


def main(wanted: list[str]) -> int:
    """Run the named benchmarks; returns 1 when a limit is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        person = log_in(scratch / "home")
        measured, counted = _run(person, scratch, wanted or list(ALL))
    text = _report(measured, counted)
    _, title, scale = REPORT.read_text().partition(TITLE)
    REPORT.write_text(f"{_INTRODUCTION}{text}\n{title}{scale}")
    sys.stdout.write(text)
    return 0 if all(line.kept for line in measured) and all(kept for *_, kept in counted) else 1


def _run(
    person: Person, scratch: Path, wanted: list[str]
) -> tuple[list[Measured], list[tuple[str, str, bool]]]:
    measured: list[Measured] = []
    counted: list[tuple[str, str, bool]] = []
    if "push" in wanted:
        measured += push.run(person, scratch)
    if "slug" in wanted:
        measured += slug.run(person, scratch)
    if "engine" in wanted:
        counted += engine.run(scratch)
    if "quiet" in wanted:
        counted += quiet.run(person)
    if "reading" in wanted:
        lines, figures = reading.run(person)
        measured += lines
        counted += figures
    if "living" in wanted:
        lines, figures = living.run(person, scratch)
        measured += lines
        counted += figures
    return measured, counted


def _report(measured: list[Measured], counted: list[tuple[str, str, bool]]) -> str:
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    rows = "".join(line.row() for line in measured)
    said = "".join(f"- {name}: {what} {'✓' if kept else '✗'}\n" for name, what, kept in counted)
    return f"{moment}, {machine}\n\n{HEAD if rows else ''}{rows}\n{said}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
