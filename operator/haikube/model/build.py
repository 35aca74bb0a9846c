"""Build: one compile of one source, immutable but for its cancellation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from haikube.model.meta import Meta, Raw, parse_meta, ref_name
from haikube.model.source import Slug, Source, parse_buildpacks, parse_slug, parse_source

PENDING, RUNNING = "Pending", "Running"
SUCCEEDED, FAILED, CANCELED = "Succeeded", "Failed", "Canceled"
FINISHED = frozenset({SUCCEEDED, FAILED, CANCELED})


@dataclass(frozen=True, slots=True)
class Build:
    """The declared build, and what its status says of its end."""

    meta: Meta
    app: str
    source: Source | None
    stack: str | None
    buildpacks: tuple[dict[str, str], ...]
    version: str
    author: str
    description: str
    cancel: bool
    timeout: int | None
    result: str
    slug: Slug | None
    status: Raw

    @property
    def finished(self) -> bool:
        """Return whether the status records an end."""
        return self.result in FINISHED

    def with_status(self, status: Raw) -> Build:
        """Return the same build once ``status`` is written."""
        return replace(self, **_of_status(status), status=status)


def parse_build(obj: Raw) -> Build:
    """Return the Build in a raw object."""
    spec = obj.get("spec") or {}
    status = obj.get("status") or {}
    return Build(
        meta=parse_meta(obj),
        app=ref_name(spec, "appRef"),
        source=parse_source(spec.get("source")),
        stack=spec.get("stack"),
        buildpacks=parse_buildpacks(spec.get("buildpacks")),
        version=spec.get("version") or "",
        author=spec.get("author") or "",
        description=spec.get("description") or "",
        cancel=bool(spec.get("cancel")),
        timeout=spec.get("buildTimeoutSeconds"),
        **_of_status(status),
        status=status,
    )


def _of_status(status: Raw) -> dict[str, Any]:
    return {
        "result": status.get("result") or PENDING,
        "slug": parse_slug(status.get("slug")),
    }
