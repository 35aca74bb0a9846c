"""Restarts of an operator with much to look at, beside the bare LIST of the same.

usage: python -m bench.restart [--apps 1000] [--releases 50] [--builds 20] [--idle 0]

One app gets its history by real deploys and config changes, and is copied then. The first start
after that puts right what the operator finds wrong with the copies; the next ones are measured.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.alone import Alone, Start, alone
from bench.client import list_watched, path
from bench.etcd import multiply
from bench.fleet import Fleet, is_ready
from bench.leading import Figures
from haikube.model.names import config_secret_name
from haikube.model.resources import APPS, SECRETS

_SPACE = "restart"
_STARTS = 3
_MOST = 4.0
_RELEASE_SECONDS = 60.0
_POLL = 0.05


@dataclass(frozen=True)
class Wish:
    """What is measured: apps, and what each of them has behind it."""

    apps: int
    releases: int
    builds: int
    idle: int


@dataclass(frozen=True)
class Seen:
    """All figures of one run; the best start of several, as the others shared the machine."""

    wish: Wish
    objects: int
    empty: Start
    first: Figures
    full: Start
    listing: float
    idle: Figures


async def measure(wish: Wish) -> Seen:
    """Run everything once."""
    async with alone() as here:
        empty = await _best(here)
        fleet = Fleet(_SPACE, wish.apps)
        one = Fleet(_SPACE, 1)
        await one.make(here.client)
        await _history(here, one, wish)
        await here.stop()
        original, *others = fleet.names
        objects = await multiply(here.plane.etcd, _SPACE, original, others)
        await here.start()
        first = await here.at_rest()
        listing = min([await list_watched(here.client) for _ in range(_STARTS)])
        full = await _best(here)
        before = full.figures
        await asyncio.sleep(wish.idle)
        idle = (await here.now()).since(before)
    return Seen(wish, objects, empty, first, full, listing, idle)


async def _best(here: Alone) -> Start:
    starts = [await here.restarted() for _ in range(_STARTS)]
    return min(starts, key=lambda each: each.looked)


async def _history(here: Alone, fleet: Fleet, wish: Wish) -> None:
    """Have an app deployed and configured until it has as many builds and releases."""
    (name,) = fleet.names
    await _released(here, name, 2)
    app = await here.client.call("GET", path(APPS, _SPACE, name))
    for number in range(2, wish.builds + 1):
        await fleet.build(here.client, app, number)
        await _released(here, name, number + 1)
    for number in range(wish.builds + 1, wish.releases):
        value = base64.b64encode(str(number).encode()).decode()
        patch = {"data": {"NUMBER": value}}
        await here.client.patch(SECRETS, _SPACE, config_secret_name(name), patch)
        await _released(here, name, number + 1)
    await here.at_rest()


async def _released(here: Alone, name: str, version: int) -> None:
    """Wait until an App serves a release."""
    async with asyncio.timeout(_RELEASE_SECONDS):
        while True:
            app = await here.client.call("GET", path(APPS, _SPACE, name))
            current = app.get("status", {}).get("currentRelease", {}).get("version")
            if current == version and is_ready(app):
                return
            await asyncio.sleep(_POLL)


def _section(seen: Seen, moment: datetime) -> str:
    """Return the lines of one run for ``docs/benchmarks.md``."""
    wish, full, empty = seen.wish, seen.full, seen.empty
    memory = (full.figures.memory - empty.figures.memory) / wish.apps / 1000
    what = f"{wish.apps:,} Apps with {wish.releases} releases and {wish.builds} builds each"
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    load = f"load {os.getloadavg()[0]:.0f}"
    lines = (
        ("bare LIST of it all", f"{seen.listing:.1f} s", "1.00", ""),
        _timed("until it leads", full.led - empty.led, seen.listing),
        _timed("until it has looked at every App", full.looked - empty.looked, seen.listing),
        ("writes", f"{full.figures.total:.0f}", "", "0"),
        ("longest time between renewals of the Lease", f"{full.longest_beat:.1f} s", "", "4 s"),
        ("memory per App", f"{memory:.0f} kB", "", "120 kB"),
        *(_idle(seen.idle, wish.idle) if wish.idle else ()),
    )
    return "".join(
        (
            f"{moment:%Y-%m-%d %H:%M} UTC, {where}, {load}; {what}: {seen.objects:,} objects; ",
            f"a start with nothing to look at takes {empty.led:.1f} s, which is taken off; ",
            f"the first start wrote {seen.first.total:.0f} times to the copies\n\n",
            "| figure | ours | times the LIST | at most |\n|---|---|---|---|\n",
            *(f"| {' | '.join(each)} |\n" for each in lines),
        )
    )


def _timed(name: str, seconds: float, listing: float) -> tuple[str, str, str, str]:
    return name, f"{seconds:.1f} s", f"{seconds / listing:.2f}", f"{_MOST:g} times"


def _idle(figures: Figures, seconds: int) -> tuple[tuple[str, str, str, str], ...]:
    share = f"{100 * figures.cpu / seconds:.1f} % of a core"
    writes = (f"writes in {seconds} s of idling", f"{figures.total:.0f}", "", "0")
    return writes, ("CPU while idling", share, "", "")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.restart", description=__doc__)
    for name, default in (("apps", 1000), ("releases", 50), ("builds", 20), ("idle", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    seen = asyncio.run(measure(Wish(**vars(parser.parse_args()))))
    sys.stdout.write(_section(seen, datetime.now(UTC)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
