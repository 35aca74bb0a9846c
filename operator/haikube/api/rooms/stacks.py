"""Stacks and regions: what apps are built on and where they run."""

from __future__ import annotations

from typing import Final

from haikube.api.bodies.parts import REGION, created
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import invalid, not_found
from haikube.cluster.port import Json
from haikube.model.resources import STACKS

room: Final = Room()

_SINCE: Final = "2026-01-01T00:00:00Z"


@room.get("/stacks", "/apps/{app}/available-stacks")
async def list_stacks(call: Call) -> list[Json]:
    """Answer all stacks."""
    if "app" in call.request.path_params:
        await call.app()
    stacks = sorted(call.context.observed.all(STACKS), key=_name)
    return [_stack(stack, call.settings.default_stack) for stack in stacks]


@room.get("/stacks/{stack}")
async def show_stack(call: Call) -> Json:
    """Answer one stack."""
    wanted = call.path("stack")
    for stack in await list_stacks(call):
        if wanted in {stack["id"], stack["name"]}:
            return stack
    raise not_found("stack", wanted)


@room.get("/regions")
async def list_regions(call: Call) -> list[Json]:
    """Answer the one region: this cluster."""
    return [
        {
            "id": made_id("region", REGION),
            "name": REGION,
            "description": "This cluster",
            "country": "Your own",
            "locale": call.settings.domain,
            "private_capable": False,
            "provider": {"name": "kubernetes", "region": call.settings.domain},
            "created_at": _SINCE,
            "updated_at": _SINCE,
        }
    ]


@room.get("/regions/{region}")
async def show_region(call: Call) -> Json:
    """Answer the region by name or id."""
    region = (await list_regions(call))[0]
    if call.path("region") not in {region["id"], region["name"]}:
        raise not_found("region", call.path("region"))
    return region


_WHATEVER: Final = "cedar"
"""What client libraries call Heroku's stack of the day when nobody chose one."""


def require_stack(call: Call, wish: object) -> str:
    """Return the name of the stack that is meant by name, alias or id; raises a 422 ``Problem``."""
    stacks = call.context.observed.all(STACKS)
    if wish == _WHATEVER:
        return call.context.settings.default_stack
    for stack in stacks:
        alias = (stack.get("spec") or {}).get("alias")
        if wish in {_name(stack), alias, made_id("stack", _name(stack))} - {None}:
            return _name(stack)
    names = ", ".join(sorted(map(_name, stacks)))
    raise invalid(f"Stack {wish!r:.60} is not there. Choose one of: {names}.")


def _name(stack: Json) -> str:
    return str(stack["metadata"]["name"])


def _stack(stack: Json, default: str) -> Json:
    name = _name(stack)
    deprecated = (stack.get("spec") or {}).get("deprecation")
    return {
        "id": made_id("stack", name),
        "name": name,
        "default": name == default,
        "state": "deprecated" if deprecated else "public",
        "created_at": created(stack),
        "updated_at": created(stack),
    }
