"""``/apps/{app}/builds``: make, list, show, cancel, read what a build prints, purge its cache."""

from __future__ import annotations

import secrets
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haikube.api.bodies.build import build_body
from haikube.api.kernel.call import Call
from haikube.api.kernel.context import Context, context_of
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import app_name
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.api.rooms.lookup import app_releases
from haikube.api.rooms.sources import build_source
from haikube.api.streams.text import printed
from haikube.cluster.errors import NotFound
from haikube.cluster.port import Cluster, Json
from haikube.git.builds import create_build
from haikube.logs.builds import RESULTS
from haikube.model import labels
from haikube.model.resources import APPS, BUILDS

room: Final = Room()

_LINK_SECONDS: Final = 600
"""A link to a log outlives a right that is taken away by this at most."""

_LONGEST_VERSION: Final = 200


@room.post("/apps/{app}/builds")
async def create(call: Call) -> Json:
    """Make a build of an uploaded or downloadable source."""
    app = await call.app()
    wish = await call.body()
    blob = wish.get("source_blob")
    if not isinstance(blob, dict):
        raise invalid('A build needs a "source_blob" with a "url".')
    source = await build_source(call.context, app["metadata"]["uid"], blob)
    version = str(blob.get("version") or "")[:_LONGEST_VERSION]
    repository = call.context.repository(call.caller, app)
    build = await create_build(repository, source, version, buildpacks=_buildpacks(wish))
    call.context.observed.put(BUILDS, build)
    return _shown(call, app, build)


@room.get("/apps/{app}/builds")
async def list_all(call: Call) -> list[Json]:
    """Answer an app's builds, newest first."""
    app = await call.app()
    builds = await call.see(BUILDS, app)
    builds.sort(key=lambda build: str(build["metadata"]["creationTimestamp"]), reverse=True)
    return [_shown(call, app, build) for build in builds]


@room.get("/apps/{app}/builds/{build}")
async def show(call: Call) -> Json:
    """Answer one build."""
    app = await call.app()
    return _shown(call, app, await find_build(call, app))


@room.delete("/apps/{app}/builds/{build}")
async def cancel(call: Call) -> Json:
    """Ask for a build to be stopped."""
    app = await call.app()
    build = await find_build(call, app)
    result = (build.get("status") or {}).get("result")
    if result in RESULTS:
        raise invalid(f"Build {build['metadata']['name']} has ended already: {result.lower()}.")
    return _shown(call, app, await call.patch(BUILDS, build, {"spec": {"cancel": True}}))


@room.delete("/apps/{app}/build-cache", status=202)
async def purge_cache(call: Call) -> Json:
    """Let the app's next build start with an empty cache."""
    app = await call.app()
    mark = {"metadata": {"annotations": {labels.BUILD_CACHE: secrets.token_hex(8)}}}
    await call.patch(APPS, app, mark)
    return {}


async def show_log(request: Request) -> Response:
    """Stream what a build prints, from byte ``offset``, until the build ends."""
    context = context_of(request)
    cluster, namespace, name = await _log_place(context, request)
    return await printed(context.logs.stream(cluster, namespace, name, offset=_offset(request)))


room.routes.append(Route("/apps/{app}/builds/{build}/log", show_log, methods=["GET"]))


async def _log_place(context: Context, request: Request) -> tuple[Cluster, str, str]:
    """Return where the log is and whose rights read it: a link's, else the caller's own."""
    if link := request.query_params.get("capability"):
        namespace, _, name = context.capabilities.check(link, "LOG").partition("/")
        return context.own, namespace, name
    call = Call(request, context, await context.caller(request), "")
    meta = (await find_build(call, await call.app()))["metadata"]
    return call.caller.cluster, meta["namespace"], meta["name"]


def _offset(request: Request) -> int:
    text = request.query_params.get("offset", "0")
    if not text.isdecimal():
        raise Problem(400, "bad_request", f"offset {text!r:.40} must be a number of bytes.")
    return int(text[:18])


async def find_build(call: Call, app: Json) -> Json:
    """Return the app's build of this name or id; a new one comes from the cluster itself."""
    identity, meta = call.path("build"), app["metadata"]
    for build in await call.see(BUILDS, app):
        if identity in {build["metadata"]["name"], build["metadata"]["uid"]}:
            return build
    if not identity.startswith(f"{meta['name']}-") or "/" in identity:
        raise not_found("build", identity)
    try:
        build = await call.caller.cluster.get(BUILDS, identity, meta["namespace"])
    except NotFound:
        raise not_found("build", identity) from None
    if build["spec"]["appRef"]["name"] != meta["name"]:
        raise not_found("build", identity)
    return build


def _buildpacks(wish: dict[str, Any]) -> list[dict[str, str]]:
    """Return the buildpacks of a request, each with one of ``name`` and ``url``."""
    wished = wish.get("buildpacks") or []
    if not isinstance(wished, list):
        raise invalid("buildpacks must be a list of {name} or {url}.")
    return [_buildpack(entry) for entry in wished]


def _buildpack(entry: object) -> dict[str, str]:
    if isinstance(entry, dict):
        for field in ("name", "url"):
            if value := entry.get(field):
                key = "url" if "://" in str(value) else "name"
                return {key: str(value)}
    raise invalid(f"Buildpack {entry!r:.80} needs a name or a url.")


def _shown(call: Call, app: Json, build: Json) -> Json:
    meta = build["metadata"]
    link = call.context.capabilities.grant(
        "LOG", f"{meta['namespace']}/{meta['name']}", _LINK_SECONDS
    )
    path = f"/apps/{app_name(app)}/builds/{meta['name']}/log?capability={link}"
    version = ((build.get("status") or {}).get("release") or {}).get("version")
    release = next(
        (each for each in app_releases(call, app) if each["spec"]["version"] == version), None
    )
    return build_body(build, app, log_url=call.base + path, release=release)
