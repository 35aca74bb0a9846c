"""Whose an app is, and whether it is locked. It stays in the namespace where it runs."""

from __future__ import annotations

from typing import Final

from haikube.api.bodies.app import owner_of
from haikube.api.bodies.parts import app_ref, created, person
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import invalid
from haikube.api.rooms.apps import shown
from haikube.api.rooms.members import members_of
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS

room: Final = Room()


@room.patch("/teams/apps/{app}")
async def change_app(call: Call) -> Json:
    """Lock an app, or give it to its team or to a person."""
    app = await call.app()
    wish = await call.body()
    if "owner" in wish:
        return shown(call, await _give(call, app, str(wish["owner"])))
    if "locked" not in wish:
        raise invalid("Send one of: locked, owner.")
    mark = {labels.LOCKED: "true" if wish["locked"] else None}
    return shown(call, await call.patch(APPS, app, {"metadata": {"annotations": mark}}))


@room.get("/account/app-transfers")
async def list_transfers(call: Call) -> list[Json]:
    """Answer that no transfer waits: they are made at once."""
    del call
    return []


@room.post("/account/app-transfers")
async def transfer(call: Call) -> Json:
    """Give an app to another person of its team, at once."""
    wish = await call.body()
    app = await call.context.directory.find(call.caller, str(wish["app"]))
    before, recipient = owner_of(app), str(wish["recipient"])
    given = await _give(call, app, recipient)
    return {
        "id": made_id("transfer", f"{app['metadata']['uid']}/{recipient}"),
        "app": app_ref(given),
        "owner": person(before),
        "recipient": person(recipient),
        "state": "accepted",
        "created_at": created(app),
        "updated_at": created(app),
    }


async def _give(call: Call, app: Json, recipient: str) -> Json:
    """Note who an app belongs to; it stays in the namespace where it runs."""
    namespace = app["metadata"]["namespace"]
    known = {each.email for each in members_of(call, namespace)}
    if recipient != namespace and recipient not in known:
        raise invalid(
            f"{recipient:.80} is not of team {namespace}. An app runs in the namespace of its team "
            "and cannot move: add the person with heroku access:add, or create the app anew."
        )
    owner = None if recipient == namespace else recipient
    return await call.patch(APPS, app, {"metadata": {"annotations": {labels.OWNER: owner}}})
