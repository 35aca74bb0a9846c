"""The build request, as the operator mounts it into the build pod; read once, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_TIMEOUT = 900
DEFAULT_SLUG_BYTES = 500_000_000
DEFAULT_SLUG_WARNING_BYTES = 300_000_000
DEFAULT_SOURCE_BYTES = 1 << 30
DEFAULT_LOG_BYTES = 20_000_000
DEFAULT_CACHE_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a build is stopped; seconds and bytes."""

    timeout_seconds: float = DEFAULT_TIMEOUT
    slug_bytes: int = DEFAULT_SLUG_BYTES
    slug_warning_bytes: int = DEFAULT_SLUG_WARNING_BYTES
    source_bytes: int = DEFAULT_SOURCE_BYTES
    log_bytes: int = DEFAULT_LOG_BYTES
    cache_bytes: int = DEFAULT_CACHE_BYTES


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """A tar archive that our api stored; its URL is mounted beside the request."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GitSource:
    """A branch, tag or commit of a git repository."""

    url: str
    ref: str = "HEAD"


@dataclass(frozen=True, slots=True)
class BlobSource:
    """A tar archive at any URL, with the checksum ``sha256:<hex>`` that its owner declared."""

    url: str
    checksum: str = ""


Source = ArchiveSource | GitSource | BlobSource


@dataclass(frozen=True, slots=True)
class Request:
    """One build of one app; ``path`` is the folder of the source that holds it."""

    build: str
    app: str
    source: Source
    stack: str
    alias: str
    path: str = ""
    buildpacks: tuple[str, ...] = ()
    buildpack_names: Mapping[str, str] = field(default_factory=dict)
    source_version: str = ""
    limits: Limits = field(default_factory=Limits)


def read_request(path: Path) -> Request:
    """Read the request that the operator wrote."""
    return parse_request(json.loads(path.read_text("utf-8")))


def parse_request(document: Mapping[str, Any]) -> Request:
    """Build a request from its JSON form; a missing key is a fault of the operator."""
    stack = document["stack"]
    return Request(
        build=document["build"],
        app=document["app"],
        source=_source(document["source"]),
        path=_path(document["source"]),
        stack=stack,
        alias=document.get("alias") or stack,
        buildpacks=tuple(_reference(item) for item in document.get("buildpacks") or ()),
        buildpack_names=document.get("buildpackNames") or {},
        source_version=document.get("sourceVersion") or "",
        limits=_limits(document.get("limits") or {}),
    )


def _source(document: Mapping[str, Any]) -> Source:
    if archive := document.get("archive"):
        return ArchiveSource(archive["digest"], int(archive["sizeBytes"]))
    if git := document.get("git"):
        return GitSource(git["url"], git.get("ref") or "HEAD")
    blob = document["blob"]
    return BlobSource(blob["url"], blob.get("checksum") or "")


def _path(document: Mapping[str, Any]) -> str:
    return document.get("path") or (document.get("git") or {}).get("subPath") or ""


def _reference(item: Mapping[str, str]) -> str:
    return item.get("name") or item["url"]


def _limits(document: Mapping[str, Any]) -> Limits:
    return Limits(
        timeout_seconds=document.get("timeoutSeconds") or DEFAULT_TIMEOUT,
        slug_bytes=document.get("slugBytes") or DEFAULT_SLUG_BYTES,
        slug_warning_bytes=document.get("slugWarningBytes") or DEFAULT_SLUG_WARNING_BYTES,
        source_bytes=document.get("sourceBytes") or DEFAULT_SOURCE_BYTES,
        log_bytes=document.get("logBytes") or DEFAULT_LOG_BYTES,
        cache_bytes=document.get("cacheBytes") or DEFAULT_CACHE_BYTES,
    )
