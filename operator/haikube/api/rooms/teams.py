"""Teams: the namespaces made for one, and their members.

Who is of a team is said by RoleBindings; what is changed here is changed with the caller's own
right to them.
"""

from __future__ import annotations

from typing import Final

from haikube.api.bodies.parts import created, person, team
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import invalid, not_found
from haikube.api.kernel.rights import Right
from haikube.api.rooms.apps import shown
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
from haikube.model.resources import APPS, NAMESPACES, ROLE_BINDINGS

room: Final = Room()


@room.get("/teams", "/users/{user}/teams")
async def list_all(call: Call) -> list[Json]:
    """Answer the teams whose apps the caller may see."""
    spaces = sorted(each["metadata"]["name"] for each in call.context.observed.all(NAMESPACES))
    return [await _team(call, each) for each in spaces if await _sees(call, each)]


@room.get("/teams/permissions")
async def permissions(call: Call) -> list[Json]:
    """Answer what can be allowed on an app of a team."""
    del call
    return [{"name": name, "description": words} for name, words in PERMISSIONS.items()]


@room.get("/teams/{team}")
async def show(call: Call) -> Json:
    """Answer one team, by name or id."""
    return await _team(call, await _find(call))


@room.post("/teams")
async def create(call: Call) -> Json:
    """Refuse: a team is prepared by an administrator of the cluster."""
    del call
    raise invalid(
        "Teams are namespaces of the cluster: let an administrator run haikube team create NAME."
    )


@room.get(
    "/teams/{team}/features",
    "/teams/{team}/invitations",
    "/teams/{team}/invoices",
    "/teams/{team}/addons",
)
async def nothing(call: Call) -> list[Json]:
    """Answer that a team has none of these."""
    await _find(call)
    return []


@room.get("/teams/{team}/usage")
async def no_usage(call: Call) -> Json:
    """Answer that no add-on of a team was used."""
    await _find(call)
    return {"apps": []}


@room.get("/teams/{team}/members")
async def list_members(call: Call) -> list[Json]:
    """Answer who is of a team."""
    return [_member(each) for each in members_of(call, await _find(call))]


@room.post("/teams/{team}/members")
async def add(call: Call) -> Json:
    """Make somebody a member, who is none yet."""
    return await _put(call)


@room.put("/teams/{team}/members")
async def put(call: Call) -> Json:
    """Give somebody a role in a team."""
    return await _put(call)


@room.patch("/teams/{team}/members")
async def change(call: Call) -> Json:
    """Give a member another role."""
    return await _put(call)


@room.delete("/teams/{team}/members/{email}")
async def remove(call: Call) -> Json:
    """Take somebody's roles in a team away."""
    namespace = await _find(call)
    return _member(await remove_member(call, namespace, call.path("email")))


@room.get("/teams/{team}/members/{email}/apps")
async def list_apps_of(call: Call) -> list[Json]:
    """Answer the apps that a member may use: all of the team."""
    namespace = await _find(call)
    apps = await call.context.directory.all(call.caller, namespace)
    return [shown(call, app) for app in apps]


async def _find(call: Call) -> str:
    """Return the namespace of the team that the path names by name or id."""
    wanted = call.path("team")
    for each in call.context.observed.all(NAMESPACES):
        name = str(each["metadata"]["name"])
        if wanted in {name, made_id("team", name)} and await _sees(call, name):
            return name
    raise not_found("team", wanted)


async def _sees(call: Call, namespace: str) -> bool:
    return await call.context.rights.may(call.caller, Right("get", APPS), namespace)


async def _team(call: Call, name: str) -> Json:
    namespace = call.context.observed.get(NAMESPACES, "", name) or {"metadata": {}}
    return {
        **team(name),
        "role": await _role(call, name),
        "type": "team",
        "default": name == (call.caller.namespace or call.settings.default_namespace),
        "credit_card_collections": False,
        "provisioned_licenses": False,
        "membership_limit": None,
        "enterprise_account": None,
        "identity_provider": None,
        "created_at": created(namespace),
        "updated_at": created(namespace),
    }


async def _role(call: Call, namespace: str) -> str:
    may = call.context.rights.may
    if await may(call.caller, Right("create", ROLE_BINDINGS), namespace):
        return ADMIN
    return MEMBER if await may(call.caller, Right("create", APPS), namespace) else VIEWER


async def _put(call: Call) -> Json:
    namespace = await _find(call)
    wish = await call.body()
    return _member(await add_member(call, namespace, str(wish["email"]), str(wish["role"])))


def _member(member: Member) -> Json:
    return {
        "id": made_id("member", member.email),
        "email": member.email,
        "role": member.role,
        "federated": False,
        "two_factor_authentication": False,
        "identity_provider": None,
        "user": {**person(member.email), "name": member.email},
        "created_at": member.since,
        "updated_at": member.since,
    }
