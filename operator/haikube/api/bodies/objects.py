"""Objects of the cluster as the JSON that Heroku's clients read, field by field."""

from __future__ import annotations

import uuid
from typing import Any, Final

from haikube.cluster.port import Json
from haikube.settings import Settings

_STATUS: Final = {"Succeeded": "succeeded", "Failed": "failed", "Canceled": "failed"}
_NAMESPACE: Final = uuid.UUID("5b1c2f0e-6f0a-4c8e-9d5b-0c6f3f1f7a10")
"""Makes stable ids for things that have no uid in the cluster."""


def made_id(kind: str, name: str) -> str:
    """Return the stable id of something that Kubernetes has no object for."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}"))


def person(username: str) -> Json:
    """Return an owner or author."""
    return {"id": made_id("account", username), "email": username}


def account(username: str) -> Json:
    """Return the caller's own account."""
    return {
        **person(username),
        "name": username,
        "verified": True,
        "beta": False,
        "allow_tracking": False,
        "federated": False,
        "two_factor_authentication": False,
    }


def app(obj: Json, *, web_url: str, git_url: str, settings: Settings) -> Json:
    """Return an App; both URLs are as the caller of this request reaches them."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    stack_name = status.get("stack") or spec.get("stack") or settings.default_stack
    stack = {"id": made_id("stack", stack_name), "name": stack_name}
    team = meta["namespace"]
    created = meta.get("creationTimestamp")
    return {
        "id": meta["uid"],
        "name": meta["name"],
        "web_url": web_url,
        "git_url": git_url,
        "owner": person(f"{team}@herokumanager.com"),
        "team": {"id": made_id("team", team), "name": team},
        "region": {"id": made_id("region", "cluster"), "name": "cluster"},
        "stack": stack,
        "build_stack": stack,
        "generation": {"id": made_id("generation", "cedar"), "name": "cedar"},
        "buildpack_provided_description": status.get("buildpack"),
        "maintenance": spec.get("maintenance") == "Enabled",
        "acm": False,
        "archived_at": None,
        "internal_routing": None,
        "space": None,
        "repo_size": None,
        "slug_size": None,
        "create_status": "complete",
        "created_at": created,
        "updated_at": created,
        "released_at": None,
    }


def build(obj: Json, *, log_url: str) -> Json:
    """Return a Build; ``log_url`` streams its output without further credentials."""
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    release, slug, stack = status.get("release"), status.get("slug"), status.get("stack")
    return {
        "id": meta["uid"],
        "name": meta["name"],
        "app": {"id": _owner_uid(meta), "name": spec["appRef"]["name"]},
        "status": _STATUS.get(status.get("result", ""), "pending"),
        "buildpacks": [{"name": name, "url": name} for name in status.get("buildpacks") or ()],
        "source_blob": {
            "url": _source_url(spec["source"]),
            "checksum": _checksum(spec["source"]),
            "version": spec.get("version"),
            "version_description": spec.get("description"),
        },
        "stack": stack or spec.get("stack"),
        "generation": {"id": made_id("generation", "cedar"), "name": "cedar"},
        "output_stream_url": log_url,
        "release": release and {"id": made_id("release", f"{meta['namespace']}/{release['name']}")},
        "release_version": release and release.get("version"),
        "slug": slug and {"id": made_id("slug", meta["uid"])},
        "failure": status.get("failure"),
        "user": person(spec.get("author") or "unknown"),
        "created_at": meta.get("creationTimestamp"),
        "updated_at": status.get("finishedAt")
        or status.get("startedAt")
        or meta.get("creationTimestamp"),
    }


def _owner_uid(meta: Json) -> str:
    owners: list[dict[str, Any]] = meta.get("ownerReferences") or []
    return str(next((owner["uid"] for owner in owners if owner["kind"] == "App"), meta["uid"]))


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
