"""What several rooms look up: an app's releases, its process types, sizes."""

from __future__ import annotations

from typing import Any

from haikube.api.bodies.app import current_release
from haikube.api.bodies.formation import ProcessType
from haikube.api.kernel.call import Call
from haikube.api.kernel.rights import Right
from haikube.cluster.port import Json
from haikube.model.resources import APPS, FORMATIONS, NAMESPACES, RELEASES
from haikube.plan.sizes import BASIC, find_size


async def home(call: Call) -> str:
    """Return where things of a caller are made: their own namespace, else a team of theirs."""
    if call.caller.namespace:
        return call.caller.namespace
    teams = sorted(str(each["metadata"]["name"]) for each in call.context.observed.all(NAMESPACES))
    usual = call.settings.default_namespace
    for each in (usual, *teams):
        if await call.context.rights.may(call.caller, Right("create", APPS), each):
            return each
    return usual


def app_owner(app: Json) -> dict[str, str]:
    """Return the reference by which what an app needs is collected with it."""
    meta = app["metadata"]
    return {
        "apiVersion": APPS.api_version,
        "kind": APPS.kind,
        "name": meta["name"],
        "uid": meta["uid"],
    }


def app_releases(call: Call, app: Json) -> list[Json]:
    """Return an app's releases, the newest first; requests for one are none."""
    found = call.context.observed.of_app(RELEASES, app)
    return sorted(
        (each for each in found if each["spec"].get("version")),
        key=lambda each: int(each["spec"]["version"]),
        reverse=True,
    )


def process_types(call: Call, app: Json) -> dict[str, ProcessType]:
    """Return an app's process types by name, web first: those of its slug, and those declared."""
    current = current_release(app_releases(call, app)) or {}
    slug = (current.get("spec") or {}).get("slug") or {}
    commands = {each["name"]: each["command"] for each in slug.get("processTypes") or ()}
    declared = {
        str(each["spec"]["processType"]): each
        for each in call.context.observed.of_app(FORMATIONS, app)
        if not each["metadata"].get("deletionTimestamp")
    }
    names = sorted({*commands, *declared}, key=lambda name: (name != "web", name))
    return {
        name: _process_type(name, commands.get(name), declared.get(name))
        for name in names
        if name in commands or not commands
    }


def size_name(call: Call, size: str) -> str:
    """Return a size as Heroku spells it."""
    found = find_size(size, call.settings)
    return found.name if found else size


def _process_type(name: str, command: str | None, obj: Json | None) -> ProcessType:
    spec = (obj or {}).get("spec") or {}
    told = ((obj or {}).get("status") or {}).get("command")
    return ProcessType(
        name=name,
        command=str(command or told or ""),
        quantity=int(spec.get("quantity", 1) if obj else 0),
        size=str(spec.get("size") or BASIC.key),
        obj=obj,
    )


def certificates(app: Json) -> list[dict[str, Any]]:
    """Return the certificates that an app declares: a name, and the Secret that holds each."""
    return list((app.get("spec") or {}).get("certificates") or ())
