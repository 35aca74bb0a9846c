"""What is old enough to go: finished builds, releases that nothing runs, dynos that have ended.

Nothing that serves, runs or is declared ever goes. Bytes in the storage are swept elsewhere.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from haikube.model import labels
from haikube.model.dyno import Dyno
from haikube.model.intents import Write
from haikube.model.release import PENDING, Release
from haikube.model.resources import BUILDS, DYNOS, RELEASES
from haikube.model.times import parse_time
from haikube.plan.children import delete, label_value
from haikube.plan.context import Context
from haikube.plan.declared import declared_build_name
from haikube.plan.world import AppWorld


def forget(world: AppWorld, context: Context) -> tuple[Write, ...]:
    """Return the deletions of what history no longer keeps."""
    return (
        *_old_builds(world, context),
        *_old_releases(world, context),
        *_old_dynos(world, context),
    )


def _old_builds(world: AppWorld, context: Context) -> tuple[Write, ...]:
    history = context.settings.build_history
    if len(world.builds) <= history:
        return ()
    kept = {declared_build_name(world.app), world.newest_build and world.newest_build.meta.name}
    finished = [each for each in world.builds if each.finished and not each.meta.deleting]
    finished.sort(key=lambda each: each.meta.age_key, reverse=True)
    old = finished[history:]
    return tuple(delete(BUILDS, each.meta) for each in old if each.meta.name not in kept)


def _old_releases(world: AppWorld, context: Context) -> tuple[Write, ...]:
    history = context.settings.release_history
    if len(world.releases) <= history:
        return ()
    ordered = sorted(world.releases, key=lambda each: each.version, reverse=True)
    used = {pod.meta.labels.get(labels.RELEASE) for pod in world.dyno_pods}
    return tuple(
        delete(RELEASES, each.meta)
        for each in ordered[history:]
        if not each.meta.deleting and _is_done_with(each, world, used)
    )


def _is_done_with(release: Release, world: AppWorld, used: set[str | None]) -> bool:
    current = world.current
    is_current = current is not None and current.meta.uid == release.meta.uid
    runs = label_value(release.meta.name) in used
    return not (is_current or runs or release.result == PENDING)


def _old_dynos(world: AppWorld, context: Context) -> tuple[Write, ...]:
    due = context.now - timedelta(seconds=context.settings.dyno_history)
    return tuple(
        delete(DYNOS, each.meta)
        for each in world.dynos
        if not each.meta.deleting and each.keep is None and each.ended and _end(each) < due
    )


def _end(dyno: Dyno) -> datetime:
    known = dyno.status.get("finishedAt")
    return parse_time(known) if known else dyno.meta.created
