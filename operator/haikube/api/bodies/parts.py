"""What occurs in many answers: people, apps by name, stacks, times."""

from __future__ import annotations

from typing import Any, Final

from haikube.api.kernel.identity import app_name, made_id, shown_user
from haikube.cluster.port import Json

TEAM_OWNER: Final = "herokumanager.com"
"""Host of the addresses by which clients tell apps of teams from those of people."""

REGION: Final = "us"
"""The one region; clients mark apps of every other one."""

GENERATION: Final = {"id": made_id("generation", "cedar"), "name": "cedar"}


def person(email: str) -> Json:
    """Return an owner or author."""
    shown = shown_user(email)
    return {"id": made_id("account", shown), "email": shown}


def team(name: str) -> Json:
    """Return a team by name."""
    return {"id": made_id("team", name), "name": name}


def app_ref(app: Json) -> Json:
    """Return an app by name."""
    return {"id": app["metadata"]["uid"], "name": app_name(app)}


def stack_ref(name: str) -> Json:
    """Return a stack by name."""
    return {"id": made_id("stack", name), "name": name}


def created(obj: Json) -> str:
    """Return when an object was made."""
    return str(obj["metadata"].get("creationTimestamp") or "1970-01-01T00:00:00Z")


def annotation(obj: Json, key: str) -> str:
    """Return an annotation, empty without it."""
    return str((obj["metadata"].get("annotations") or {}).get(key) or "")


def condition(obj: Json, kind: str) -> Json:
    """Return a condition of an object, empty without it."""
    found: list[dict[str, Any]] = (obj.get("status") or {}).get("conditions") or []
    return next((each for each in found if each["type"] == kind), {})
