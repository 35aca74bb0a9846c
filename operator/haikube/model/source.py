"""Where code comes from, which buildpacks compile it, and the slug that results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from haikube.model.meta import Raw

RELEASE_PHASE = "release"
"""The process type that runs once before a release becomes current, never as a Formation."""

_KINDS: tuple[Literal["git", "blob", "archive"], ...] = ("git", "blob", "archive")


@dataclass(frozen=True, slots=True)
class Source:
    """Exactly one of git, blob or archive, with its fields as declared.

    ``path`` is the folder of it that holds the app, empty for its root.
    """

    kind: Literal["git", "blob", "archive"]
    fields: Mapping[str, Any]
    path: str = ""

    def spec(self) -> dict[str, Any]:
        """Return the source as it stands in a spec."""
        return {self.kind: dict(self.fields)} | ({"path": self.path} if self.path else {})


def parse_source(raw: Raw | None) -> Source | None:
    """Return the declared source, or None when there is none."""
    for kind in _KINDS:
        if raw and raw.get(kind):
            return Source(kind, raw[kind], raw.get("path") or "")
    return None


def declared_path(raw: Raw | None) -> str:
    """Return the folder that an App names for whatever source it gets, empty for the root."""
    source = raw or {}
    return source.get("path") or (source.get("git") or {}).get("subPath") or ""


def parse_buildpacks(raw: Iterable[Raw] | None) -> tuple[dict[str, str], ...]:
    """Return the declared buildpacks in order, each ``{"name": …}`` or ``{"url": …}``."""
    return tuple(dict(each) for each in raw or ())


@dataclass(frozen=True, slots=True)
class ProcessType:
    """One line of a Procfile."""

    name: str
    command: str


@dataclass(frozen=True, slots=True)
class Slug:
    """A compiled app in the object storage."""

    key: str
    digest: str
    size: int
    process_types: tuple[ProcessType, ...]

    def spec(self) -> dict[str, Any]:
        """Return the slug as it stands in a spec or status."""
        types = [{"name": each.name, "command": each.command} for each in self.process_types]
        fields = {"key": self.key, "digest": self.digest, "sizeBytes": self.size}
        return {**fields, "processTypes": types}

    def command(self, process_type: str) -> str | None:
        """Return the command of a process type, or None when the slug has no such type."""
        names = {each.name: each.command for each in self.process_types}
        return names.get(process_type)


def parse_slug(raw: Raw | None) -> Slug | None:
    """Return a slug, or None when there is none yet."""
    if not raw or not raw.get("digest"):
        return None
    return Slug(
        key=raw.get("key", ""),
        digest=raw["digest"],
        size=raw.get("sizeBytes", 0),
        process_types=parse_process_types(raw.get("processTypes")),
    )


def parse_process_types(raw: Iterable[Raw] | None) -> tuple[ProcessType, ...]:
    """Return process types sorted by name, ``web`` first."""
    types = (ProcessType(each["name"], each["command"]) for each in raw or ())
    return tuple(sorted(types, key=lambda each: (each.name != "web", each.name)))
