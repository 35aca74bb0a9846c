"""Which release comes next, and why: the first, a new slug, a request, or a new config.

The operator alone gives the numbers: one more than the highest that ever was, which the status of
the App remembers, so that the number of a deleted release is not given again. Names follow from
numbers, so two writers cannot both make a v7.

A Release is made before its snapshot, which belongs to it. It says from which version of the
config Secret it was made; who changed the config can wait for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from haikube.model import labels
from haikube.model.build import SUCCEEDED, Build
from haikube.model.conditions import Verdict
from haikube.model.intents import Annotate, Create, Place, Write
from haikube.model.names import release_name
from haikube.model.release import Release, is_under_way
from haikube.model.resources import APPS, RELEASES, SECRETS
from haikube.model.secret import Secret
from haikube.model.source import Slug
from haikube.plan.app.config import is_to_come
from haikube.plan.children import SNAPSHOT, app_labels, child_metadata
from haikube.plan.declared import source_digest
from haikube.plan.release.entries import following
from haikube.plan.release.request import grant
from haikube.plan.release.snapshot import describe_change, is_covered
from haikube.plan.world import AppWorld

_COMMIT_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Next:
    """A release that should be made: whose slug, and what it is called."""

    slug: Slug | None
    stack: str
    build: str
    description: str
    author: str
    annotations: Mapping[str, str]
    rollback_of: int | None = None


def plan_ledger(world: AppWorld) -> tuple[Write, ...]:
    """Return the release that should be made now, or the mark that the newest one lacks."""
    if made := tuple(_following(world)):
        return made
    if world.config is None or not world.config.is_usable:
        return ()
    return _seen(world, world.config)


def _following(world: AppWorld) -> Iterator[Create]:
    """Yield the release that should be made now; with the first one that of a build that waits."""
    found, version = next_release(world), next_version(world)
    if found is None:
        return
    yield _write(world, found, version)
    if world.latest is None and (deployed := _of_build(world)):
        yield _write(world, deployed, following(version, world.strays))


def last_version(world: AppWorld) -> int:
    """Return the highest number that was ever given."""
    known = int(world.app.status.get("latestVersion") or 0)
    return max(known, world.latest.version if world.latest else 0)


def next_version(world: AppWorld) -> int:
    """Return the number of the next release; what was made under a number takes it."""
    return following(last_version(world), world.strays)


def waits_for_config(world: AppWorld) -> bool:
    """Return whether code that was built is not released, for the config is of no use or gone."""
    usable = world.config is not None and world.config.is_usable
    return not usable and bool(_of_build(world) or _of_declaration(world))


def next_release(world: AppWorld) -> Next | None:
    """Return the release that should be made now, or None."""
    config = world.config
    if config is None or not config.is_usable:  # dynos could not start
        return _of_request(world)  # a rollback brings a config of its own
    if world.latest is None:
        author = world.app.meta.annotations.get(labels.AUTHOR, "")
        return Next(None, "", "", "Initial release", author, {})
    return (
        _of_request(world)
        or _of_build(world)
        or _of_declaration(world)
        or _of_config(world, config, world.latest)
    )


def _write(world: AppWorld, made: Next, version: int) -> Create:
    name, marks = release_name(world.name, version), dict(made.annotations)
    noted: dict[str, Place] = {}
    if world.config is not None:
        meta = world.config.meta
        marks[labels.CONFIG_VERSION] = meta.resource_version
        if is_to_come(meta):
            noted[labels.CONFIG_VERSION] = Place(SECRETS, meta.namespace, meta.name)
    metadata = child_metadata(name, (APPS, world.app.meta), app_labels(world.app.meta), marks)
    spec: dict[str, Any] = {
        "appRef": {"name": world.name},
        "version": version,
        "configRef": {"name": name},
        "description": made.description,
        "stack": made.stack,
        "slug": made.slug.spec() if made.slug else None,
        "buildRef": {"name": made.build} if made.build else None,
        "author": made.author,
        "rollbackOf": made.rollback_of,
    }
    body = {"apiVersion": RELEASES.api_version, "kind": RELEASES.kind, "metadata": metadata}
    spec = {key: each for key, each in spec.items() if each}
    return Create(RELEASES, {**body, "spec": spec}, noted=noted)


def _seen(world: AppWorld, config: Secret) -> tuple[Write, ...]:
    """Note on the newest release that a later version of the config holds nothing new."""
    latest, version = world.latest, config.meta.resource_version
    if latest is None or world.child_secret(latest.meta, SNAPSHOT) is None:
        return ()
    if latest.meta.annotations.get(labels.CONFIG_VERSION) == version:
        return ()
    if is_under_way(latest) and not _same_config(world, config, latest):
        return ()
    meta = latest.meta
    marks = {labels.CONFIG_VERSION: version}
    return (Annotate(RELEASES, meta.namespace, meta.name, meta.uid, marks),)


def _of_request(world: AppWorld) -> Next | None:
    """Return the entry that the oldest request asks for."""
    answered = {each.meta.annotations.get(labels.REQUESTED_BY) for each in world.releases}
    for request in sorted(world.requests, key=lambda each: each.meta.age_key):
        origin = grant(world, request)
        if request.meta.uid in answered or isinstance(origin, Verdict):
            continue
        marks = {
            **_kept_marks(origin),
            **_seen_source(world),
            labels.REQUESTED_BY: request.meta.uid,
        }
        text = request.description or f"Rollback to v{origin.version}"
        return Next(
            origin.slug, origin.stack, "", text, request.author, marks, rollback_of=origin.version
        )
    return None


def _of_build(world: AppWorld) -> Next | None:
    """Return the release of the oldest succeeded build that no newer one has overtaken.

    Builds are ordered by when the API server took them in: all other clocks differ. A build is
    known by its slug, since a later one may have its name. Where somebody has deleted all releases
    with code, the newest that had one has another.
    """
    ended = [each for each in world.builds if each.result == SUCCEEDED and each.slug]
    if lost := _lost(world, ended):
        return _from_build(lost)
    taken = [each.meta.created for each in ended if _is_released(each, world)]
    newest = max(taken, default=None)
    waiting = [
        each
        for each in ended
        if not _is_released(each, world) and (newest is None or each.meta.created >= newest)
    ]
    chosen = min(waiting, key=lambda each: each.meta.age_key, default=None)
    return _from_build(chosen) if chosen else None


def _is_released(build: Build, world: AppWorld) -> bool:
    return bool(build.status.get("release")) or any(each.is_of(build) for each in world.releases)


def _lost(world: AppWorld, ended: Iterable[Build]) -> Build | None:
    """Return the newest build that was released, where no release with code is left."""
    if any(each.slug for each in world.releases):
        return None
    versions = {each.version for each in world.releases}
    made = ((each, each.status.get("release") or {}) for each in ended)
    gone = [each for each, of in made if of and of.get("version") not in versions]
    return max(gone, key=lambda each: each.meta.age_key, default=None)


def _of_declaration(world: AppWorld) -> Next | None:
    """Return the declared slug again when another declaration was released since.

    Declaring A, then B, then A again builds nothing: A's slug is still there.
    """
    digest, seen = source_digest(world.app), _seen_source(world).get(labels.SOURCE_DIGEST)
    if not digest or seen is None or seen == digest:
        return None
    for build in world.builds:
        if build.meta.annotations.get(labels.SOURCE_DIGEST) == digest and build.slug:
            return _from_build(build)
    return None


def _seen_source(world: AppWorld) -> dict[str, str]:
    """Return the mark of the declaration that was released last.

    A rollback bears it, too, whatever it brings back: it comes after that declaration.
    """
    declared = [each for each in world.releases if labels.SOURCE_DIGEST in each.meta.annotations]
    newest = max(declared, key=lambda each: each.version, default=None)
    key = labels.SOURCE_DIGEST
    return {key: newest.meta.annotations[key]} if newest else {}


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


def _of_config(world: AppWorld, config: Secret, latest: Release) -> Next | None:
    """Return the release of a changed config: the slug that serves, else the one that failed.

    A snapshot that somebody deleted is replaced by a new release: its dynos cannot start again.
    """
    if is_under_way(latest):
        return None
    base = world.current or latest
    newest = world.child_secret(latest.meta, SNAPSHOT)
    if newest is None or world.child_secret(base.meta, SNAPSHOT) is None:
        return _from_release(base, "Restore config vars", "")
    if _same_config(world, config, latest):
        return None
    told = config.meta.annotations
    described = describe_change(newest.config_vars, config.config_vars)
    return _from_release(
        base, told.get(labels.DESCRIPTION) or described, told.get(labels.AUTHOR, "")
    )


def _same_config(world: AppWorld, config: Secret, latest: Release) -> bool:
    newest = world.child_secret(latest.meta, SNAPSHOT)
    return newest is not None and is_covered(config, newest)


def _from_release(base: Release, description: str, author: str) -> Next:
    return Next(base.slug, base.stack, "", description, author, _kept_marks(base))


def _kept_marks(base: Release) -> dict[str, str]:
    """Return what says where a slug comes from: it holds for each release of the slug."""
    kept = {labels.COMMIT, labels.SOURCE_DIGEST}
    return {key: text for key, text in base.meta.annotations.items() if key in kept}
