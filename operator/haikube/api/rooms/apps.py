"""Apps: make, list, show, rename, destroy."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from haikube.api.bodies.app import AppUrls, app_body
from haikube.api.kernel.addresses import app_url
from haikube.api.kernel.call import Call
from haikube.api.kernel.clusterwords import quota_words
from haikube.api.kernel.directory import NAMESPACE
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import app_name
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.api.rooms.closing import until_answered
from haikube.api.rooms.lookup import home
from haikube.api.rooms.naming import generated_name, require_name
from haikube.api.rooms.stacks import require_stack
from haikube.cluster.errors import AlreadyExists, Forbidden, NotFound
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.names import git_prefix
from haikube.model.resources import APPS, BUILDS, RELEASES
from haikube.storage.port import StorageError

room: Final = Room()

_TRIES: Final = 5
_SIZE_SECONDS: Final = 2.0
"""For the size of a repository, which nobody wants to wait for."""

_CHANGES: Final = ("name", "build_stack", "maintenance")


@room.get("/apps", "/users/{user}/apps")
async def list_all(call: Call) -> list[Json]:
    """Answer every app the caller may see."""
    return [shown(call, app) for app in await call.context.directory.all(call.caller)]


@room.get("/teams/{team}/apps")
async def list_of_team(call: Call) -> list[Json]:
    """Answer the apps of one team."""
    team = call.path("team")
    return [shown(call, app) for app in await call.context.directory.all(call.caller, team)]


@room.post("/apps")
async def create(call: Call) -> Json:
    """Create an app of the caller's own, or of the team that the body names."""
    wish = await call.body()
    team = wish.get("team")
    return await _create(call, wish, team=team)


@room.post("/teams/apps")
async def create_in_team(call: Call) -> Json:
    """Create an app that belongs to a team."""
    wish = await call.body()
    return await _create(call, wish, team=wish.get("team") or wish.get("organization"))


@room.get("/apps/{app}", "/teams/apps/{app}")
async def info(call: Call) -> Json:
    """Answer one app."""
    app = await call.app()
    return {**shown(call, app), "repo_size": await _repository_bytes(call, app)}


async def _repository_bytes(call: Call, app: Json) -> int | None:
    """Return the size of an app's git repository, None where nobody can tell or none is there."""
    if not call.context.observed.of_app(BUILDS, app):
        return None
    prefix = git_prefix(app["metadata"]["uid"])
    try:
        async with asyncio.timeout(_SIZE_SECONDS):
            return sum([each.size async for each in call.context.storage.list(prefix)]) or None
    except (StorageError, TimeoutError):
        return None


@room.patch("/apps/{app}")
async def update(call: Call) -> Json:
    """Rename an app, choose its next stack, or close it for maintenance."""
    app = await call.app()
    wish = await call.body()
    unknown = sorted(set(wish) - set(_CHANGES))
    if unknown:
        raise invalid(
            f"{unknown[0]} of an app cannot be changed. Send one of: {', '.join(_CHANGES)}."
        )
    spec: dict[str, Any] = {}
    if "maintenance" in wish:
        spec["maintenance"] = "Enabled" if wish["maintenance"] else "Disabled"
    if "build_stack" in wish:
        spec["stack"] = require_stack(call, wish["build_stack"])
    if "name" in wish and wish["name"] != app_name(app):
        spec["name"] = await _new_name(call, wish["name"])
    made = await call.patch(APPS, app, {"spec": spec}) if spec else app
    if "maintenance" in wish:
        await until_answered(call, made, closed=bool(wish["maintenance"]))
    return shown(call, made)


@room.delete("/apps/{app}")
async def destroy(call: Call) -> Json:
    """Delete an app; everything it owns goes with it."""
    app = await call.app()
    answer = shown(call, app)
    await call.delete(APPS, app)
    return answer


def shown(call: Call, app: Json) -> Json:
    """Return an app as it is answered."""
    git = f"{call.git_base}/{app_name(app)}.git"
    urls = AppUrls(web=app_url(app, call.settings), git=git)
    releases = call.context.observed.of_app(RELEASES, app)
    return app_body(app, urls, releases, default_stack=call.settings.default_stack)


async def _create(call: Call, wish: dict[str, Any], *, team: object) -> Json:
    _refuse_places(wish)
    namespace = team or await home(call)
    if not isinstance(namespace, str) or not NAMESPACE.fullmatch(namespace):
        raise not_found("team", str(namespace))
    stack = wish.get("stack")
    spec = {"stack": require_stack(call, stack)} if stack else {}
    name = await _new_name(call, wish["name"]) if wish.get("name") is not None else await _any(call)
    personal = {} if team else {labels.OWNER: call.caller.email}
    body = {
        "apiVersion": APPS.api_version,
        "kind": APPS.kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {labels.AUTHOR: call.caller.email, **personal},
        },
        "spec": spec,
    }
    return shown(call, await _made(call, body))


async def _made(call: Call, body: dict[str, Any]) -> Json:
    meta = body["metadata"]
    try:
        return await call.create(APPS, body)
    except AlreadyExists:
        raise _taken(meta["name"]) from None
    except NotFound:
        raise not_found("team", meta["namespace"]) from None
    except Forbidden as error:
        if quota_words(error.message):
            raise
        raise Problem(
            403,
            "forbidden",
            f"{call.caller.email} may not create apps in namespace {meta['namespace']} "
            f'({error.message}). Name another one as "team", or ask its owner for a role that '
            "allows it.",
        ) from None


def _refuse_places(wish: dict[str, Any]) -> None:
    """Refuse what would have to run elsewhere."""
    region = wish.get("region")
    if region not in {None, "us"}:
        raise invalid(f"Region {region!r:.40} is not there: this platform has one region, us.")
    if wish.get("space"):
        raise invalid("This platform has no Private Spaces: leave --space out.")


async def _any(call: Call) -> str:
    for _ in range(_TRIES):
        name = generated_name()
        if not await call.context.directory.taken(name):
            return name
    raise Problem(503, "service_unavailable", "No free name was found. Send one as name.")


async def _new_name(call: Call, wish: object) -> str:
    """Return a wished name that nobody has; raises a 422 when it cannot be had."""
    name = require_name(wish, call.settings.reserved_hosts)
    if await call.context.directory.taken(name):
        raise _taken(name)
    return name


def _taken(name: str) -> Problem:
    return invalid(f"Name {name} is already taken: choose another.")
