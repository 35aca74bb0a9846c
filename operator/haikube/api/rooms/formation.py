"""Process types: how many dynos each has, and of what size."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from haikube.api.bodies.formation import ProcessType, formation_body
from haikube.api.bodies.parts import GENERATION
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import invalid, not_found
from haikube.api.kernel.rights import Right
from haikube.api.rooms.lookup import process_types, size_name
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.meta import parse_meta
from haikube.model.names import formation_name
from haikube.model.resources import APPS, FORMATIONS
from haikube.plan.children import owner_reference
from haikube.plan.sizes import Size, dyno_sizes, find_size

room: Final = Room()

MOST_DYNOS: Final = 1000
"""Dynos of one process type; the schema of Formation has the same limit."""

_QUANTITY: Final = re.compile(r"(?P<sign>[+-]?)(?P<number>\d{1,9})")


@dataclass(frozen=True, slots=True)
class Change:
    """What one update asks of a process type."""

    process: ProcessType
    quantity: int
    size: str


@room.get("/apps/{app}/formation")
async def list_all(call: Call) -> list[Json]:
    """Answer all process types."""
    app = await call.app()
    await call.require(Right("list", FORMATIONS), app["metadata"]["namespace"])
    return [_shown(call, app, each) for each in process_types(call, app).values()]


@room.get("/apps/{app}/formation/{type}")
async def show(call: Call) -> Json:
    """Answer one process type, by name or id."""
    app = await call.app()
    await call.require(Right("list", FORMATIONS), app["metadata"]["namespace"])
    return _shown(call, app, find_process(call, app, call.path("type")))


@room.patch("/apps/{app}/formation")
async def update_all(call: Call) -> list[Json]:
    """Change several process types at once: all of them, or none if one wish is not possible."""
    app = await call.app()
    wish = await call.body()
    changes = [_change(call, app, each) for each in wish["updates"]]
    named = [each.process.name for each in changes]
    if twice := next((each for each in named if named.count(each) > 1), ""):
        raise invalid(f"{twice} is named more than once: say once how many dynos it is to have.")
    return [await _apply(call, app, each) for each in changes]


@room.patch("/apps/{app}/formation/{type}")
async def update(call: Call) -> Json:
    """Change one process type."""
    app = await call.app()
    wish = await call.body()
    if wish.get("docker_image"):
        raise invalid("Container deploys are not there yet: push code with git.")
    return await _apply(call, app, _change(call, app, {**wish, "type": call.path("type")}))


@room.get("/dyno-sizes")
async def list_sizes(call: Call) -> list[Json]:
    """Answer all dyno sizes."""
    return [_size_body(each) for each in dyno_sizes(call.settings)]


@room.get("/dyno-sizes/{size}")
async def show_size(call: Call) -> Json:
    """Answer one dyno size."""
    for each in await list_sizes(call):
        if call.path("size").lower() in {each["id"], each["name"].lower()}:
            return each
    raise not_found("dyno_size", call.path("size"))


def find_process(call: Call, app: Json, identity: str) -> ProcessType:
    """Return a process type by name or id; raises a 422 ``Problem`` that lists what there is."""
    known = process_types(call, app)
    for each in known.values():
        if identity in {each.name, each.obj and each.obj["metadata"]["uid"]}:
            return each
    there = f"It has {', '.join(known)}." if known else "Nothing was deployed yet: git push first."
    raise invalid(f"Couldn't find that process type ({identity:.60}). {there}")


def _change(call: Call, app: Json, wish: Mapping[str, Any]) -> Change:
    process = find_process(call, app, str(wish["type"]))
    quantity = process.quantity
    if wish.get("quantity") is not None:
        quantity = _quantity(process, str(wish["quantity"]))
    size = wish.get("size") or wish.get("dyno_size")
    return Change(process, quantity, _size(call, size) if size else process.size)


def _quantity(process: ProcessType, text: str) -> int:
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise invalid(
            f"Quantity {text!r:.40} of {process.name} is not a number, +number or -number."
        )
    number = int(found["number"])
    if found["sign"]:
        number = process.quantity + (number if found["sign"] == "+" else -number)
    if not 0 <= number <= MOST_DYNOS:
        raise invalid(
            f"{process.name} cannot have {number} dynos: choose a number from 0 to {MOST_DYNOS}."
        )
    return number


def _size(call: Call, wish: object) -> str:
    """Return the size that is meant by name or id, in whatever case."""
    name = str(wish.get("name") or wish.get("id")) if isinstance(wish, dict) else str(wish)
    by_id = {made_id("size", each.name): each for each in dyno_sizes(call.settings)}
    found = find_size(name, call.settings) or by_id.get(name)
    if found is None:
        names = ", ".join(each.name for each in dyno_sizes(call.settings))
        raise invalid(f"Couldn't find that dyno size ({name:.60}). Choose one of: {names}.")
    return found.key


async def _apply(call: Call, app: Json, change: Change) -> Json:
    process = change.process
    spec: dict[str, object] = {}
    if process.obj is None or change.quantity != process.quantity:
        spec["quantity"] = change.quantity
    if process.obj is None or change.size != process.size:
        spec["size"] = change.size
    obj = process.obj
    if obj is None:
        obj = await call.create(FORMATIONS, _formation(call, app, process, spec))
    elif spec:
        obj = await call.patch(FORMATIONS, obj, {"spec": spec})
    made = ProcessType(process.name, process.command, change.quantity, change.size, obj)
    return _shown(call, app, made)


def _formation(
    call: Call, app: Json, process: ProcessType, spec: Mapping[str, object]
) -> dict[str, Any]:
    """Return the object of a process type that nobody declared yet."""
    meta = app["metadata"]
    return {
        "apiVersion": FORMATIONS.api_version,
        "kind": FORMATIONS.kind,
        "metadata": {
            "name": formation_name(meta["name"], process.name),
            "namespace": meta["namespace"],
            "labels": {labels.APP: meta["name"], labels.APP_UID: meta["uid"]},
            "annotations": {labels.AUTHOR: call.caller.email},
            "ownerReferences": [owner_reference(APPS, parse_meta(app))],
        },
        "spec": {"appRef": {"name": meta["name"]}, "processType": process.name, **spec},
    }


def _shown(call: Call, app: Json, process: ProcessType) -> Json:
    return formation_body(process, app, size=size_name(call, process.size))


def _size_body(size: Size) -> Json:
    dedicated = size.key.startswith("performance")
    return {
        "id": made_id("size", size.name),
        "name": size.name,
        "architecture": "amd64",
        "compute": 0,
        "cost": None,
        "dedicated": dedicated,
        "dyno_units": 1,
        "memory": size.megabytes / 1024,
        "precise_dyno_units": 1.0,
        "private_space_only": False,
        "generation": GENERATION,
    }
