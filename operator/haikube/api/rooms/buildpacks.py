"""Buildpacks: those that an app names, and the registry that knows their names.

The command line shows the name of a buildpack whose address is one of Heroku's registry: names are
answered as such addresses. Nothing is ever fetched from there.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haikube.api.kernel.call import Call
from haikube.api.kernel.context import context_of
from haikube.api.kernel.endpoint import Room, json_response
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.cluster.port import Json
from haikube.model.names import BUILDPACK
from haikube.model.resources import APPS
from haikube.settings import Settings

room: Final = Room()

OURS: Final = (
    "apt",
    "clojure",
    "go",
    "gradle",
    "inline",
    "java",
    "jvm",
    "multi-procfile",
    "nodejs",
    "php",
    "procfile",
    "python",
    "ruby",
    "scala",
    "static",
)
"""The platform's own buildpacks, as ``buildpacks/`` holds them."""

_MOST: Final = 16
_SINCE: Final = "2026-01-01T00:00:00Z"
_PREFIXES: Final = ("heroku", "heroku-community", "haikube")
_ADDRESS: Final = "https://buildpack-registry.s3.amazonaws.com/buildpacks/{}.tgz"
_REGISTERED: Final = re.compile(
    r"(?:urn:buildpack:"
    r"|https://buildpack-registry\.s3\.amazonaws\.com/buildpacks/"
    r"|https://codon-buildpacks\.s3\.amazonaws\.com/buildpacks/)"
    r"(?P<name>[\w-]+(?:/[\w-]+)?)(?:\.tgz)?"
)


@room.get("/apps/{app}/buildpack-installations")
async def show(call: Call) -> list[Json]:
    """Answer the buildpacks that an app names, in their order."""
    return _shown(await call.app())


@room.put("/apps/{app}/buildpack-installations")
async def replace(call: Call) -> list[Json]:
    """Name other buildpacks; none means that they are detected."""
    app = await call.app()
    wish = await call.body()
    chosen = [_chosen(call.settings, each.get("buildpack")) for each in wish["updates"]]
    if len(chosen) > _MOST:
        raise invalid(f"{len(chosen)} buildpacks are too many: an app has at most {_MOST}.")
    return _shown(await call.patch(APPS, app, {"spec": {"buildpacks": chosen}}))


def known_names(settings: Settings) -> list[str]:
    """Return the names that can be used: the platform's own, and those of its settings."""
    return sorted({*(f"heroku/{each}" for each in OURS), *settings.buildpacks})


def _chosen(settings: Settings, wish: object) -> dict[str, str]:
    if not isinstance(wish, str) or not wish:
        names = ", ".join(known_names(settings))
        raise invalid(f"The buildpack is not in the registry of this platform. It knows: {names}.")
    found = _REGISTERED.fullmatch(wish)
    name = found["name"] if found else wish
    if BUILDPACK.fullmatch(name):
        return {"name": _require_known(settings, name)}
    parts = urlsplit(wish)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise invalid(
            f"Buildpack {wish!r:.80} is neither a name like heroku/python nor an http or https "
            "address without user and password."
        )
    return {"url": wish}


def _require_known(settings: Settings, name: str) -> str:
    prefix, _, short = name.rpartition("/")
    known = name in settings.buildpacks or (short in OURS and prefix in {"", *_PREFIXES})
    if not known:
        names = ", ".join(known_names(settings))
        raise invalid(f"{name:.80} is not in the buildpack registry. It knows: {names}.")
    return name if prefix else f"heroku/{name}"


def _shown(app: Json) -> list[Json]:
    listed: list[dict[str, Any]] = (app.get("spec") or {}).get("buildpacks") or []
    return [
        {"ordinal": number, "buildpack": _buildpack(each)} for number, each in enumerate(listed)
    ]


def _buildpack(entry: dict[str, Any]) -> Json:
    if name := entry.get("name"):
        return {"name": name, "url": _ADDRESS.format(name)}
    return {"name": entry["url"], "url": entry["url"]}


# The registry: anybody may ask it.


async def search(request: Request) -> Response:
    """Answer the buildpacks that fit all words of a search."""
    names = known_names(context_of(request).settings)
    params = request.query_params
    spaces, words = params.getlist("in[namespace][]"), params.getlist("in[name][]")
    like = params.get("like[description]", "").lower()
    found = [
        body
        for body in map(_registered, names)
        if (not spaces or body["namespace"] in spaces)
        and (not words or body["name"] in words)
        and like in body["description"].lower()
    ]
    return json_response(found)


async def registered(request: Request) -> Response:
    """Answer one buildpack of the registry."""
    return json_response(_registered(_name_of(request)))


async def revisions(request: Request) -> Response:
    """Answer the one version of a buildpack: that of this platform."""
    body = {
        "id": made_id("revision", _name_of(request)),
        "release": 1,
        "created_at": _SINCE,
        "updated_at": _SINCE,
        "status": "published",
        "error": None,
        "license": "Apache-2.0",
        "published_by_email": "",
        "published_by_uuid": "",
        "ref": "",
        "checksum": "",
        "tarball": "",
    }
    return json_response([body])


async def readme(request: Request) -> Response:
    """Answer a word about a buildpack."""
    name = _name_of(request)
    return json_response({"content": "", "encoding": "base64", "name": name})


def _name_of(request: Request) -> str:
    name = str(request.path_params["name"])
    if name not in known_names(context_of(request).settings):
        raise not_found("buildpack", name)
    return name


def _registered(name: str) -> Json:
    namespace, _, short = name.rpartition("/")
    return {
        "id": made_id("buildpack", name),
        "name": short,
        "namespace": namespace,
        "description": f"The platform's buildpack for {short}",
        "category": "languages",
        "license": "Apache-2.0",
        "support": {"method": "unsupported"},
        "source": {"type": "platform", "owner": namespace, "repo": short},
        "logo": {"small": None, "medium": None, "large": None},
        "blob_url": _ADDRESS.format(name),
        "created_at": _SINCE,
        "updated_at": _SINCE,
    }


async def refuse(request: Request) -> Response:
    """Refuse to publish."""
    del request
    raise Problem(422, "invalid_params", "Buildpacks are named by the platform's settings.")


room.routes += [
    Route("/buildpacks", search, methods=["GET"]),
    Route("/buildpacks", refuse, methods=["POST"]),
    Route("/buildpacks/{name:path}/revisions", revisions, methods=["GET"]),
    Route("/buildpacks/{name:path}/readme", readme, methods=["GET"]),
    Route("/buildpacks/{name:path}", registered, methods=["GET"]),
]
