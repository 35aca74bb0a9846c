"""``/apps/{app}/path``: the folder of a repository that holds an app. Ours; Heroku has none."""

from __future__ import annotations

from typing import Final

from haikube.api.bodies.parts import app_ref
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.problems import invalid
from haikube.cluster.port import Json
from haikube.model.resources import APPS
from haikube.model.source import declared_path

room: Final = Room()


@room.get("/apps/{app}/path")
async def show(call: Call) -> Json:
    """Answer the folder, empty for the root of the repository."""
    return _body(await call.app())


@room.put("/apps/{app}/path")
async def change(call: Call) -> Json:
    """Name another folder; an empty path is the root again."""
    app = await call.app()
    path = (await call.body()).get("path")
    if not isinstance(path, str):
        raise invalid('Send {"path": "apps/web"}; "" is the root.')
    source = {"path": path.strip("/") or None, **_without_sub_path(app)}
    body = {"spec": {"source": source if _kept(app, source) else None}}
    return _body(await call.patch(APPS, app, body))


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
    return {"app": app_ref(app), "path": path}
