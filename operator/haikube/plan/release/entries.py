"""Which Releases are entries of the ledger: those the operator has numbered, and the one it would.

A person may write the next entry down themselves, as a backup does. Any other number is refused:
it would leave a gap, or end the ledger at its highest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from haikube.model.app import App
from haikube.model.conditions import completion, stalled, stamp
from haikube.model.intents import Plan
from haikube.model.release import FAILED, Release
from haikube.plan.children import app_labels
from haikube.plan.context import Context

Releases = tuple[Release, ...]


def split(found: Iterable[Release], app: App) -> tuple[Releases, Releases]:
    """Return the entries of an app, and the Releases that are none."""
    ordered = sorted(found, key=lambda each: each.version)
    marks = app_labels(app.meta).items()
    entries = [each for each in ordered if marks <= each.meta.labels.items()]
    last = max(int(app.status.get("latestVersion") or 0), *(each.version for each in entries), 0)
    strays = []
    for each in (each for each in ordered if each not in entries):
        if each.version == last + 1:
            entries.append(each)
            last += 1
        else:
            strays.append(each)
    return tuple(entries), tuple(strays)


def plan_stray(release: Release, following: int, context: Context) -> Plan:
    """Return what is said of a Release with a number that nobody gave it."""
    verdict = stalled(
        "VersionNotNext",
        f"Haikube numbers releases, and the next one is v{following}; delete this one. To roll "
        "back, make a Release without version that names rollbackOf",
    )
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
