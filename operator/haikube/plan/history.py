"""What is old enough to go: finished builds, releases that cannot serve again, lost snapshots.

Nothing that serves, runs or is declared ever goes. Bytes in the storage are swept elsewhere.
"""

from __future__ import annotations

from datetime import timedelta

from haikube.model.intents import Write
from haikube.model.resources import BUILDS, RELEASES, SECRETS
from haikube.plan.appview import AppView
from haikube.plan.children import delete
from haikube.plan.context import Context
from haikube.plan.declared import declared_build_name

_ORPHAN_AGE = timedelta(seconds=60)
"""A snapshot younger than this may belong to a release that was made but not seen yet."""


def forget(view: AppView, context: Context, *, releasing: bool) -> tuple[Write, ...]:
    """Return the deletions of what history no longer keeps."""
    orphans = () if releasing else _orphans(view, context)
    return (*_old_builds(view, context), *_old_releases(view, context), *orphans)


def _old_builds(view: AppView, context: Context) -> tuple[Write, ...]:
    kept = {declared_build_name(view.app), view.newest_build and view.newest_build.meta.name}
    finished = [each for each in view.builds if each.finished and not each.meta.deleting]
    finished.sort(key=lambda each: each.meta.age_key, reverse=True)
    old = finished[context.settings.build_history :]
    return tuple(delete(BUILDS, each.meta) for each in old if each.meta.name not in kept)


def _old_releases(view: AppView, context: Context) -> tuple[Write, ...]:
    ordered = sorted(view.releases, key=lambda each: each.version, reverse=True)
    current = view.current
    old = [
        each
        for each in ordered[context.settings.release_history :]
        if not each.meta.deleting and (current is None or each.version < current.version)
    ]
    return tuple(delete(RELEASES, each.meta) for each in old)


def _orphans(view: AppView, context: Context) -> tuple[Write, ...]:
    due = context.now - _ORPHAN_AGE
    return tuple(
        delete(SECRETS, each) for each in view.orphans if each.created < due and not each.deleting
    )
