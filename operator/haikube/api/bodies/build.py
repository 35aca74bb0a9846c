"""Builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from haikube.api.bodies.parts import GENERATION, app_ref, created, person
from haikube.api.bodies.release import slug_id
from haikube.cluster.port import Json

_STATUS: Final = {"Succeeded": "succeeded", "Failed": "failed", "Canceled": "failed"}


def build_body(build: Json, app: Json, *, log_url: str, release: Json | None) -> Json:
    """Return a Build; ``log_url`` streams its output without further credentials."""
    spec, status = build["spec"], build.get("status") or {}
    slug = status.get("slug") or {}
    return {
        "id": build["metadata"]["uid"],
        "name": build["metadata"]["name"],
        "app": app_ref(app),
        "status": _STATUS.get(status.get("result", ""), "pending"),
        "buildpacks": [{"name": name, "url": name} for name in status.get("buildpacks") or ()],
        "source_blob": _source(spec),
        "stack": status.get("stack") or spec.get("stack"),
        "generation": GENERATION["name"],
        "output_stream_url": log_url,
        "release": {"id": release["metadata"]["uid"]} if release else None,
        "release_version": (status.get("release") or {}).get("version"),
        "slug": {"id": slug_id(slug)} if slug.get("key") else None,
        "failure": status.get("failure"),
        "user": person(spec.get("author") or "unknown"),
        "created_at": created(build),
        "updated_at": status.get("finishedAt") or status.get("startedAt") or created(build),
    }


def _source(spec: Mapping[str, Any]) -> Json:
    return {
        "url": _source_url(spec["source"]),
        "checksum": _checksum(spec["source"]),
        "version": spec.get("version"),
        "version_description": spec.get("description"),
    }


def _source_url(source: Json) -> str:
    """Return where a source came from; never a presigned URL."""
    where = source.get("git") or source.get("blob")
    return str(where["url"]) if where else "https://haikube.invalid/stored-source"


def _checksum(source: Json) -> str | None:
    if blob := source.get("blob"):
        return str(blob["checksum"]).replace("sha256:", "SHA256:")
    if archive := source.get("archive"):
        return str(archive["digest"]).replace("sha256:", "SHA256:")
    return None
