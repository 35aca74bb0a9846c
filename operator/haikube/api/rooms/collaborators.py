"""Who may use an app: its owner and the members of its team, who may use all of its apps.

What is changed here is the team, with the caller's own right to its RoleBindings.
"""

from __future__ import annotations

from typing import Any, Final

from haikube.api.bodies.app import owner_of
from haikube.api.bodies.parts import app_ref, created, person
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import app_name, made_id, shown_user
from haikube.api.kernel.problems import invalid, not_found
from haikube.api.rooms.members import (
    ADMIN,
    MEMBER,
    PERMISSIONS,
    VIEWER,
    Member,
    add_member,
    members_of,
    remove_member,
)
from haikube.cluster.port import Json
from haikube.model import labels

room: Final = Room()


@room.get("/apps/{app}/collaborators", "/teams/apps/{app}/collaborators")
async def list_collaborators(call: Call) -> list[Json]:
    """Answer who may use an app: its owner, and the members of its team."""
    app = await call.app()
    return [_collaborator(app, each) for each in _users_of(call, app)]


@room.get("/apps/{app}/collaborators/{email}", "/teams/apps/{app}/collaborators/{email}")
async def show_collaborator(call: Call) -> Json:
    """Answer one of who may use an app, by address or id."""
    app = await call.app()
    for each in _users_of(call, app):
        if shown_user(call.path("email")) in {each.email, made_id("collaborator", each.email)}:
            return _collaborator(app, each)
    raise not_found("collaborator", call.path("email"))


@room.post("/apps/{app}/collaborators", "/teams/apps/{app}/collaborators")
async def add_collaborator(call: Call) -> Json:
    """Let somebody use an app, and with it all apps of its team."""
    app = await call.app()
    wish = await call.body()
    email, namespace = shown_user(str(wish["user"])), app["metadata"]["namespace"]
    if any(each.email == email for each in _users_of(call, app)):
        raise invalid(f"{email} has access to {app['metadata']['name']} already.")
    member = await add_member(call, namespace, email, MEMBER)
    call.warnings.append(f"{email} may now use every app of team {namespace}.")
    return _collaborator(app, member)


@room.patch("/teams/apps/{app}/collaborators/{email}")
async def change_collaborator(call: Call) -> Json:
    """Give somebody the role in the team that holds the permissions, no more."""
    app = await call.app()
    asked = {str(each) for each in (await call.body()).get("permissions") or ()}
    if unknown := sorted(asked - set(PERMISSIONS)):
        raise invalid(f"Permission {unknown[0]:.40} is none of {', '.join(PERMISSIONS)}.")
    email, namespace = shown_user(call.path("email")), app["metadata"]["namespace"]
    if email not in {each.email for each in _users_of(call, app)}:
        raise not_found("collaborator", email)
    member = await add_member(call, namespace, email, _role_of(asked))
    call.warnings.append(f"This holds for every app of team {namespace}.")
    return _collaborator(app, member)


@room.delete("/apps/{app}/collaborators/{email}", "/teams/apps/{app}/collaborators/{email}")
async def remove_collaborator(call: Call) -> Json:
    """Take somebody's roles in the team of an app away."""
    app = await call.app()
    email = shown_user(call.path("email"))
    if email == owner_of(app):
        raise invalid(
            f"{email} owns {app_name(app)}: hand it over with heroku apps:transfer, or delete it "
            "with heroku apps:destroy."
        )
    member = await remove_member(call, app["metadata"]["namespace"], email)
    return _collaborator(app, member)


def _role_of(permissions: set[str]) -> str:
    if "manage" in permissions:
        return ADMIN
    return MEMBER if permissions - {"view"} else VIEWER


def _users_of(call: Call, app: Json) -> list[Member]:
    members = members_of(call, app["metadata"]["namespace"])
    owner = owner_of(app)
    if labels.OWNER not in (app["metadata"].get("annotations") or {}):
        return members
    rest = [each for each in members if each.email != owner]
    return [Member(owner, "owner", created(app)), *rest]


def _collaborator(app: Json, member: Member) -> Json:
    answer: dict[str, Any] = {
        "id": made_id("collaborator", member.email),
        "app": app_ref(app),
        "user": {**person(member.email), "federated": False},
        "role": member.role,
        "created_at": member.since,
        "updated_at": member.since,
    }
    names = PERMISSIONS if member.role != VIEWER else ("view",)
    answer["permissions"] = [{"name": each, "description": PERMISSIONS[each]} for each in names]
    return answer
