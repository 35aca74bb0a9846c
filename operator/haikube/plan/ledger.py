"""Which release comes next, and why: a new slug, a declared slug again, or a new config.

Versions have no gaps and names follow from them, so two writers cannot both make a v7. One pass
makes at most one release; making it wakes the app for the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haikube.model import labels
from haikube.model.build import SUCCEEDED, Build
from haikube.model.intents import Create, Write
from haikube.model.names import release_name
from haikube.model.release import Release, is_under_way
from haikube.model.resources import APPS, RELEASES
from haikube.model.source import Slug
from haikube.model.times import EPOCH
from haikube.plan.appview import AppView
from haikube.plan.children import app_labels, child_metadata
from haikube.plan.declared import source_digest
from haikube.plan.snapshot import describe_change, is_covered, snapshot

_COMMIT_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Next:
    """A release that should be made: whose slug, and what it is called."""

    slug: Slug
    stack: str
    build: str
    description: str
    author: str
    annotations: Mapping[str, str]


def next_release(view: AppView) -> Next | None:
    """Return the release that should be made now, or None."""
    if view.config is None:
        return None
    return _of_build(view) or _of_declaration(view) or _of_config(view, view.config.config_vars)


def write_release(view: AppView, made: Next) -> tuple[Write, ...]:
    """Return the snapshot and the release, in this order: no release ever lacks its config."""
    if view.config is None:
        return ()
    version = (view.latest.version if view.latest else 0) + 1
    name = release_name(view.app.meta.name, version)
    known = view.snapshots.get(name)
    config_vars = known.config_vars if known else view.config.config_vars
    copy = () if known else (snapshot(view.app.meta, name, config_vars),)
    metadata = child_metadata(
        name, (APPS, view.app.meta), app_labels(view.app.meta), made.annotations
    )
    spec: dict[str, Any] = {
        "appRef": {"name": view.app.meta.name},
        "version": version,
        "stack": made.stack,
        "slug": made.slug.spec(),
        "configRef": {"name": name},
        "description": made.description,
    }
    if made.build:
        spec["buildRef"] = {"name": made.build}
    if made.author:
        spec["author"] = made.author
    body = {"apiVersion": RELEASES.api_version, "kind": RELEASES.kind, "metadata": metadata}
    return (*copy, Create(RELEASES, {**body, "spec": spec}))


def _of_build(view: AppView) -> Next | None:
    """Return the release of the oldest succeeded build that is newer than all released ones."""
    released = {each.build for each in view.releases}
    ended = [each for each in view.builds if each.result == SUCCEEDED and each.slug]
    newest = max((_end(each) for each in ended if each.meta.name in released), default=None)
    waiting = [
        each
        for each in ended
        if each.meta.name not in released
        and not each.status.get("release")
        and (newest is None or _end(each) >= newest)
    ]
    chosen = min(waiting, key=lambda each: (_end(each), each.meta.age_key), default=None)
    return _from_build(chosen) if chosen else None


def _end(build: Build) -> Any:  # noqa: ANN401 - a moment, compared only
    return build.finished_at or EPOCH


def _of_declaration(view: AppView) -> Next | None:
    """Return the declared slug again when another declaration was released since.

    Declaring A, then B, then A again builds nothing: A's slug is still there.
    """
    digest = source_digest(view.app)
    declared = [each for each in view.releases if labels.SOURCE_DIGEST in each.meta.annotations]
    newest = max(declared, key=lambda each: each.version, default=None)
    if not digest or newest is None or newest.meta.annotations[labels.SOURCE_DIGEST] == digest:
        return None
    for build in view.builds:
        if build.meta.annotations.get(labels.SOURCE_DIGEST) == digest and build.slug:
            return _from_build(build)
    return None


def _from_build(build: Build) -> Next | None:
    if build.slug is None:
        return None
    what = build.version[:_COMMIT_SHOWN] or build.meta.name
    marks = {
        labels.COMMIT: build.version,
        labels.SOURCE_DIGEST: build.meta.annotations.get(labels.SOURCE_DIGEST, ""),
    }
    return Next(
        slug=build.slug,
        stack=build.status.get("stack", ""),
        build=build.meta.name,
        description=build.description or f"Deploy {what}",
        author=build.author,
        annotations={key: text for key, text in marks.items() if text},
    )


def _of_config(view: AppView, config_vars: Mapping[str, str]) -> Next | None:
    """Return the release of a changed config: the slug that serves, else the one that failed.

    A snapshot that somebody deleted is replaced by a new release: its dynos cannot start again.
    """
    latest = view.latest
    if latest is None or is_under_way(latest) or view.config is None:
        return None
    base = view.current or latest
    newest = view.snapshots.get(latest.config)
    if newest is None:
        return _from_release(base, "Restore config vars")
    if is_covered(view.config, newest):
        return None
    return _from_release(base, describe_change(newest.config_vars, config_vars))


def _from_release(base: Release, description: str) -> Next | None:
    if base.slug is None:
        return None
    kept = {labels.COMMIT, labels.SOURCE_DIGEST}
    marks = {key: text for key, text in base.meta.annotations.items() if key in kept}
    return Next(base.slug, base.stack, "", description, "", marks)
