"""Teams: the namespaces made for one, their members, and who may use an app.

Who is of a team is said by RoleBindings; what is changed here is changed with the caller's own
right to them. All members of a team may use all of its apps.
"""

from __future__ import annotations

from typing import Any, Final

from haikube.api.bodies.app import owner_of
from haikube.api.bodies.parts import app_ref, created, person, team
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import invalid, not_found
from haikube.api.kernel.rights import Right
from haikube.api.rooms.apps import shown
from haikube.api.rooms.members import (
    ADMIN,
    MEMBER,
    VIEWER,
    Member,
    add_member,
    members_of,
    remove_member,
)
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS, NAMESPACES, ROLE_BINDINGS

room: Final = Room()

_PERMISSIONS: Final = {
    "deploy": "Deploy, scale, read logs",
    "manage": "Change who may use the app, transfer and delete it",
    "operate": "Config vars, domains, certificates",
    "view": "See the app",
}


@room.get("/teams", "/users/{user}/teams")
async def list_all(call: Call) -> list[Json]:
    """Answer the teams whose apps the caller may see."""
    spaces = sorted(each["metadata"]["name"] for each in call.context.observed.all(NAMESPACES))
    return [await _team(call, each) for each in spaces if await _sees(call, each)]


@room.get("/teams/permissions")
async def permissions(call: Call) -> list[Json]:
    """Answer what can be allowed on an app of a team."""
    del call
    return [{"name": name, "description": words} for name, words in _PERMISSIONS.items()]


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
        if call.path("email") in {each.email, made_id("collaborator", each.email)}:
            return _collaborator(app, each)
    raise not_found("collaborator", call.path("email"))


@room.post("/apps/{app}/collaborators", "/teams/apps/{app}/collaborators")
async def add_collaborator(call: Call) -> Json:
    """Let somebody use an app, and with it all apps of its team."""
    app = await call.app()
    wish = await call.body()
    email, namespace = str(wish["user"]), app["metadata"]["namespace"]
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
    if unknown := sorted(asked - set(_PERMISSIONS)):
        raise invalid(f"Permission {unknown[0]:.40} is none of {', '.join(_PERMISSIONS)}.")
    email, namespace = call.path("email"), app["metadata"]["namespace"]
    if email not in {each.email for each in _users_of(call, app)}:
        raise not_found("collaborator", email)
    member = await add_member(call, namespace, email, _role_of(asked))
    call.warnings.append(f"This holds for every app of team {namespace}.")
    return _collaborator(app, member)


@room.delete("/apps/{app}/collaborators/{email}", "/teams/apps/{app}/collaborators/{email}")
async def remove_collaborator(call: Call) -> Json:
    """Take somebody's roles in the team of an app away."""
    app = await call.app()
    member = await remove_member(call, app["metadata"]["namespace"], call.path("email"))
    return _collaborator(app, member)


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
    names = _PERMISSIONS if member.role != VIEWER else ("view",)
    answer["permissions"] = [{"name": each, "description": _PERMISSIONS[each]} for each in names]
    return answer


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
