"""Apps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haikube.api.bodies.parts import (
    GENERATION,
    REGION,
    TEAM_OWNER,
    annotation,
    created,
    person,
    stack_ref,
    team,
)
from haikube.api.kernel.identity import app_name, made_id, shown_user
from haikube.cluster.port import Json
from haikube.model import labels


@dataclass(frozen=True, slots=True)
class AppUrls:
    """Where an app answers, and where git finds it."""

    web: str
    git: str


def owner_of(app: Json) -> str:
    """Return the person an app belongs to, else the address of its team."""
    return (
        shown_user(annotation(app, labels.OWNER)) or f"{app['metadata']['namespace']}@{TEAM_OWNER}"
    )


def current_release(releases: Sequence[Json]) -> Json | None:
    """Return the release that runs."""
    return next((each for each in releases if (each.get("status") or {}).get("current")), None)


def stack_of(app: Json, default: str) -> str:
    """Return the stack that an app's next build uses."""
    return str((app.get("spec") or {}).get("stack") or default)


def app_body(app: Json, urls: AppUrls, releases: Sequence[Json], *, default_stack: str) -> Json:
    """Return an App; ``releases`` are its own."""
    meta, spec, status = app["metadata"], app.get("spec") or {}, app.get("status") or {}
    space = meta["namespace"]
    current = current_release(releases)
    running = (current or {}).get("spec") or {}
    built = stack_of(app, default_stack)
    stack = str(running.get("stack") or "") if running.get("slug") else ""
    released = created(current) if current else None
    of_team = None if annotation(app, labels.OWNER) else team(space)
    return {
        "id": meta["uid"],
        "name": app_name(app),
        "web_url": urls.web,
        "git_url": urls.git,
        "owner": person(owner_of(app)),
        "team": of_team,
        "organization": of_team,
        "region": {"id": made_id("region", REGION), "name": REGION},
        "stack": stack_ref(stack or built),
        "build_stack": stack_ref(built),
        "generation": GENERATION,
        "buildpack_provided_description": status.get("buildpack"),
        "maintenance": spec.get("maintenance") == "Enabled",
        "locked": annotation(app, labels.LOCKED) == "true",
        "joined": True,
        "acm": spec.get("automaticCertificates") == "Enabled",
        "archived_at": None,
        "internal_routing": None,
        "space": None,
        "repo_size": None,
        "slug_size": (running.get("slug") or {}).get("sizeBytes"),
        "process_tier": "production",
        "create_status": "complete",
        "created_at": created(app),
        "updated_at": released or created(app),
        "released_at": released,
    }
