"""``/apps/{app}/path``: the folder of a repository that holds an app. Ours; Heroku has none."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from haikube.api.kernel.platform import context_of, read_json
from haikube.api.kernel.problems import Problem
from haikube.cluster.port import Json
from haikube.model.resources import APPS
from haikube.model.source import declared_path


async def show(request: Request) -> Response:
    """Answer the folder, empty for the root of the repository."""
    _, app = await context_of(request).app(request)
    return JSONResponse(_body(app))


async def change(request: Request) -> Response:
    """Name another folder; an empty path is the root again."""
    caller, app = await context_of(request).app(request)
    path = (await read_json(request)).get("path")
    if not isinstance(path, str):
        raise Problem(422, "invalid_params", 'Send {"path": "apps/web"}; "" is the root.')
    meta = app["metadata"]
    source = {"path": path.strip("/") or None, **_without_sub_path(app)}
    body = {"spec": {"source": source if _kept(app, source) else None}}
    return JSONResponse(
        _body(await caller.cluster.patch(APPS, meta["name"], meta["namespace"], body))
    )


def _without_sub_path(app: Json) -> Json:
    """One field names the folder: what was declared for git alone gives way."""
    git = ((app.get("spec") or {}).get("source") or {}).get("git") or {}
    return {"git": {"subPath": None}} if git.get("subPath") else {}


def _kept(app: Json, source: Json) -> bool:
    """Tell whether anything is left to declare."""
    declared = (app.get("spec") or {}).get("source") or {}
    return bool(source["path"] or declared.get("git") or declared.get("blob"))


def _body(app: Json) -> Json:
    path = declared_path((app.get("spec") or {}).get("source"))
    return {"app": {"id": app["metadata"]["uid"], "name": app["metadata"]["name"]}, "path": path}


_PLACE: Final = "/apps/{app}/path"

ROUTES: Final = [
    Route(_PLACE, show, methods=["GET"]),
    Route(_PLACE, change, methods=["PUT"]),
]
