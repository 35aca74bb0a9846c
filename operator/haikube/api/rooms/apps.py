"""``/apps`` and ``/account``."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from haikube.api.bodies import objects as serialize
from haikube.api.kernel.addresses import app_url, git_url
from haikube.api.kernel.auth import Caller
from haikube.api.kernel.directory import NAMESPACE
from haikube.api.kernel.platform import Context, context_of, read_json
from haikube.api.kernel.problems import Problem
from haikube.api.rooms.naming import generated_name, require_name
from haikube.cluster.errors import AlreadyExists, Forbidden
from haikube.cluster.port import Json
from haikube.model.resources import APPS

_TRIES: Final = 5


async def list_apps(request: Request) -> Response:
    """Answer every app the caller may see."""
    context = context_of(request)
    caller = await context.caller(request)
    apps = await context.directory.all(caller)
    return JSONResponse([_body(context, request, app) for app in apps])


async def create_app(request: Request) -> Response:
    """Create an app, in the namespace that ``team`` names or the caller's own."""
    context = context_of(request)
    caller = await context.caller(request)
    wish = await read_json(request)
    namespace = _namespace(context, caller, wish)
    name = await _free_name(context, wish.get("name"))
    app = await _create(caller, name, namespace, wish.get("stack"))
    return JSONResponse(_body(context, request, app), 201)


async def show_app(request: Request) -> Response:
    """Answer one app."""
    context = context_of(request)
    _, app = await context.app(request)
    return JSONResponse(_body(context, request, app))


async def delete_app(request: Request) -> Response:
    """Delete an app; everything it owns goes with it."""
    context = context_of(request)
    caller, app = await context.app(request)
    meta = app["metadata"]
    await caller.cluster.delete(APPS, meta["name"], meta["namespace"], uid=meta["uid"])
    return JSONResponse(_body(context, request, app))


async def show_account(request: Request) -> Response:
    """Answer who the caller is."""
    caller = await context_of(request).caller(request)
    return JSONResponse(serialize.account(caller.username))


def _body(context: Context, request: Request, app: Json) -> Json:
    return serialize.app(
        app,
        web_url=app_url(app, context.settings),
        git_url=git_url(request, context.settings, app["metadata"]["name"]),
        settings=context.settings,
    )


def _namespace(context: Context, caller: Caller, wish: Json) -> str:
    namespace = wish.get("team") or caller.namespace or context.settings.default_namespace
    if not isinstance(namespace, str) or not NAMESPACE.fullmatch(namespace):
        raise Problem(
            422, "invalid_params", f"Team {namespace!r:.60} is not the name of a namespace."
        )
    return namespace


async def _free_name(context: Context, wish: object) -> str:
    """Return the wished name, or a generated one; raises a 422 when it cannot be had."""
    if wish is None:
        for _ in range(_TRIES):
            name = generated_name()
            if not await context.directory.taken(name):
                return name
        raise Problem(503, "service_unavailable", "No free name was found. Send one as name.")
    name = require_name(wish, context.settings.reserved_hosts)
    if await context.directory.taken(name):
        raise _taken(name)
    return name


def _taken(name: str) -> Problem:
    return Problem(422, "invalid_params", f"Name {name} is already taken: choose another.")


async def _create(caller: Caller, name: str, namespace: str, stack: object) -> Json:
    body = {
        "apiVersion": APPS.api_version,
        "kind": APPS.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"stack": stack} if isinstance(stack, str) else {},
    }
    try:
        return await caller.cluster.create(APPS, body)
    except AlreadyExists:
        raise _taken(name) from None
    except Forbidden as error:
        raise Problem(
            403,
            "forbidden",
            f"{caller.username} may not create apps in namespace {namespace} ({error.message}). "
            'Name another one as "team", or ask its owner for a role that allows it.',
        ) from None


ROUTES: Final = [
    Route("/apps", list_apps, methods=["GET"]),
    Route("/apps", create_app, methods=["POST"]),
    Route("/apps/{app}", show_app, methods=["GET"]),
    Route("/apps/{app}", delete_app, methods=["DELETE"]),
    Route("/account", show_account, methods=["GET"]),
]
