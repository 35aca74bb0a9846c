"""Release: one entry of an app's ledger, a slug with a config, immutable and append-only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from haikube.model.conditions import STALLED, find
from haikube.model.meta import Meta, Raw, parse_meta, ref_name
from haikube.model.names import release_name
from haikube.model.source import Slug, parse_slug

PENDING, SUCCEEDED, FAILED = "Pending", "Succeeded", "Failed"


@dataclass(frozen=True, slots=True)
class Release:
    """The ledger entry, and the result its status records.

    ``config`` is the name of its snapshot. It follows from the version; ``spec.configRef`` repeats
    it for readers and is not believed: it could name a Secret that was never meant for dynos.
    """

    meta: Meta
    app: str
    version: int
    build: str
    stack: str
    slug: Slug | None
    config: str
    description: str
    rollback_of: int | None
    result: str
    status: Raw


def parse_release(obj: Raw) -> Release:
    """Return the Release in a raw object."""
    meta = parse_meta(obj)
    spec = obj.get("spec") or {}
    status = obj.get("status") or {}
    app, version = ref_name(spec, "appRef"), spec.get("version", 0)
    return Release(
        meta=meta,
        app=app,
        version=version,
        build=ref_name(spec, "buildRef"),
        stack=spec.get("stack") or "",
        slug=parse_slug(spec.get("slug")),
        config=release_name(app, version),
        description=spec.get("description") or "",
        rollback_of=spec.get("rollbackOf"),
        result=status.get("result") or PENDING,
        status=status,
    )


def is_under_way(release: Release) -> bool:
    """Return whether it will come to an end by itself; a stalled one needs somebody's help."""
    return release.result == PENDING and not find(release.status, STALLED)


def latest(releases: Iterable[Release]) -> Release | None:
    """Return the release with the highest version."""
    return max(releases, key=lambda each: each.version, default=None)


def current(releases: Iterable[Release]) -> Release | None:
    """Return the release that should serve: the highest version that succeeded."""
    return latest(each for each in releases if each.result == SUCCEEDED)
