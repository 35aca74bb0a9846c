"""Releases and slugs."""

from __future__ import annotations

import hashlib
from typing import Final

from haikube.api.bodies.parts import app_ref, created, person, stack_ref
from haikube.api.kernel.identity import made_id
from haikube.cluster.port import Json

STATUS: Final = {"Succeeded": "succeeded", "Failed": "failed"}


def release_body(release: Json, app: Json, *, output_url: str | None) -> Json:
    """Return a Release; ``output_url`` streams its release phase."""
    spec, status = release["spec"], release.get("status") or {}
    result = STATUS.get(status.get("result", ""), "pending")
    slug = spec.get("slug")
    return {
        "id": release["metadata"]["uid"],
        "version": spec["version"],
        "description": spec.get("description") or "",
        "status": result,
        "current": bool(status.get("current")),
        "eligible_for_rollback": bool(slug) and result == "succeeded",
        "app": app_ref(app),
        "user": person(spec.get("author") or "haikube"),
        "slug": {"id": slug_id(slug)} if slug else None,
        "artifacts": [{"id": slug_id(slug), "type": "slug"}] if slug else [],
        "addon_plan_names": [],
        "output_stream_url": output_url,
        "created_at": created(release),
        "updated_at": created(release),
    }


def slug_id(slug: Json) -> str:
    """Return the id of a slug: its place in the storage is what it is known by."""
    return made_id("slug", str(slug["key"]))


def slug_body(release: Json, *, url: str, commit: str) -> Json:
    """Return the slug of a release; ``url`` downloads it."""
    spec = release["spec"]
    slug = spec["slug"]
    stack = stack_ref(spec["stack"])
    return {
        "id": slug_id(slug),
        "blob": {"method": "get", "url": url},
        "buildpack_provided_description": None,
        "checksum": str(slug["digest"]).replace("sha256:", "SHA256:"),
        "commit": commit or None,
        "commit_description": None,
        "process_types": {each["name"]: each["command"] for each in slug.get("processTypes") or ()},
        "size": slug["sizeBytes"],
        "stack": stack,
        "created_at": created(release),
        "updated_at": created(release),
    }


def formation_id(app: Json, process_type: str) -> str:
    """Return the id of a process type that has no object yet."""
    digest = hashlib.sha256(process_type.encode()).hexdigest()
    return made_id("formation", f"{app['metadata']['uid']}/{digest}")
