"""Which Releases are entries of the ledger: those the operator has numbered, and the one it would.

A person may write the next entry down themselves, as a backup does. Any other number is refused:
it would leave a gap, or end the ledger at its highest. So is one without code once the app has
some. What was refused stays so: the ledger goes on beside it, under the next number that is free.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from haikube.model.app import App
from haikube.model.conditions import READY, completion, find, stalled, stamp
from haikube.model.intents import Plan
from haikube.model.release import FAILED, Release
from haikube.plan.children import app_labels
from haikube.plan.context import Context

Releases = tuple[Release, ...]

_REFUSALS = frozenset({"VersionNotNext", "NothingToRun"})
_TOLD_OF_ENTRIES = "current"
"""What the status of each entry says, and of nothing else."""


def split(found: Iterable[Release], app: App) -> tuple[Releases, Releases]:
    """Return the entries of an app, and the Releases that are none."""
    ordered = sorted(found, key=lambda each: each.version)
    entries = [each for each in ordered if _is_entry(each, app)]
    last = max(_given(app), *(each.version for each in entries), 0)
    strays = []
    for each in (each for each in ordered if each not in entries):
        if each.version == last + 1 and not _is_refused(each) and not _lacks_code(each, entries):
            entries.append(each)
            last += 1
        else:
            strays.append(each)
    return tuple(entries), tuple(strays)


def following(last: int, taken: Iterable[Release]) -> int:
    """Return the number after the last one under which there is no Release yet."""
    numbers = {each.version for each in taken}
    return next(each for each in itertools.count(last + 1) if each not in numbers)


def _is_entry(release: Release, app: App) -> bool:
    """Return whether the operator knows it as one, also if its labels were taken off since."""
    if app_labels(app.meta).items() <= release.meta.labels.items():
        return not _is_refused(release)
    return _TOLD_OF_ENTRIES in release.status and release.version <= _given(app)


def _given(app: App) -> int:
    return int(app.status.get("latestVersion") or 0)


def _is_refused(release: Release) -> bool:
    return find(release.status, READY).get("reason") in _REFUSALS


def _lacks_code(release: Release, entries: Iterable[Release]) -> bool:
    return release.slug is None and any(each.slug for each in entries)


def plan_stray(release: Release, entries: Releases, number: int, context: Context) -> Plan:
    """Return what is said of a Release that is no entry; ``number`` is that of the next one."""
    rest = (
        "delete this one. To roll back, make a Release without version that names rollbackOf; to "
        "deploy, push"
    )
    if _lacks_code(release, entries):
        verdict = stalled(
            "NothingToRun", f"it has no slug, and the app would lose its code: {rest}"
        )
    else:
        text = f"Haikube numbers releases, and the next one is v{number}; {rest}"
        verdict = stalled("VersionNotNext", text)
    status: dict[str, Any] = {
        "observedGeneration": release.meta.generation,
        "result": FAILED,
        "conditions": stamp(
            release.status.get("conditions", ()),
            completion(verdict),
            release.meta.generation,
            context.now,
        ),
    }
    return Plan() if release.meta.deleting else Plan(status=status)
