"""Release: one entry of an app's ledger, a slug with a config, immutable and append-only.

A Release without version is no entry but a request: a person asks for a rollback, and the
operator answers with an entry under the next number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from haikube.model.build import Build
from haikube.model.conditions import STALLED, find
from haikube.model.meta import Meta, Raw, parse_meta, ref_name
from haikube.model.names import release_name
from haikube.model.source import Slug, parse_slug

PENDING, SUCCEEDED, FAILED = "Pending", "Succeeded", "Failed"


@dataclass(frozen=True, slots=True)
class Release:
    """The ledger entry, and the result its status records."""

    meta: Meta
    app: str
    version: int
    build: str
    stack: str
    slug: Slug | None
    description: str
    author: str
    rollback_of: int | None
    result: str
    status: Raw

    @property
    def config(self) -> str:
        """Return the name of its snapshot.

        It follows from the version; ``spec.configRef`` repeats it for readers and is not believed:
        it could name a Secret that was never meant for dynos.
        """
        return release_name(self.app, self.version)

    @property
    def is_request(self) -> bool:
        """Return whether this asks for an entry instead of being one."""
        return not self.version

    @property
    def current(self) -> bool:
        """Return whether its status calls it the one that should serve."""
        return bool(self.status.get("current"))

    @property
    def serving(self) -> bool:
        """Return whether its status calls it the one whose dynos answer."""
        return bool(self.status.get("serving"))

    def is_of(self, build: Build) -> bool:
        """Return whether it is of this very build: another one may have had its name."""
        key = build.slug.key if build.slug else ""
        return self.build == build.meta.name and self.slug is not None and self.slug.key == key

    def with_status(self, status: Raw) -> Release:
        """Return the same release once ``status`` is written."""
        return replace(self, result=status.get("result") or PENDING, status=status)


def parse_release(obj: Raw) -> Release:
    """Return the Release in a raw object."""
    spec = obj.get("spec") or {}
    status = obj.get("status") or {}
    return Release(
        meta=parse_meta(obj),
        app=ref_name(spec, "appRef"),
        version=spec.get("version") or 0,
        build=ref_name(spec, "buildRef"),
        stack=spec.get("stack") or "",
        slug=parse_slug(spec.get("slug")),
        description=spec.get("description") or "",
        author=spec.get("author") or "",
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
