"""``/apps/{app}/builds``: make, list, show, cancel, read what a build prints, purge its cache."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from haikube.api.bodies import objects as serialize
from haikube.api.kernel.platform import Context, context_of, read_json
from haikube.api.kernel.problems import Problem, not_found
from haikube.api.rooms.sources import build_source
from haikube.cluster.errors import NotFound
from haikube.cluster.port import Cluster, Json
from haikube.git.builds import create_build
from haikube.logs.builds import RESULTS
from haikube.model import labels
from haikube.model.resources import APPS, BUILDS
from haikube.model.screen import Sieve

_LINK_SECONDS: Final = 86_400
_LONGEST_VERSION: Final = 200


async def create(request: Request) -> Response:
    """Make a build of an uploaded or downloadable source."""
    context = context_of(request)
    caller, app = await context.app(request)
    wish = await read_json(request)
    blob = wish.get("source_blob")
    if not isinstance(blob, dict):
        raise Problem(422, "invalid_params", 'A build needs a "source_blob" with a "url".')
    source = await build_source(context, app["metadata"]["uid"], blob)
    version = str(blob.get("version") or "")[:_LONGEST_VERSION]
    repository = context.repository(caller, app)
    build = await create_build(repository, source, version, buildpacks=_buildpacks(wish))
    return JSONResponse(_body(context, request, build), 201)


async def list_all(request: Request) -> Response:
    """Answer an app's builds, newest first."""
    context = context_of(request)
    caller, app = await context.app(request)
    builds = await _builds(caller.cluster, app)
    builds.sort(key=lambda build: str(build["metadata"]["creationTimestamp"]), reverse=True)
    return JSONResponse([_body(context, request, build) for build in builds])


async def show(request: Request) -> Response:
    """Answer one build."""
    context = context_of(request)
    caller, app = await context.app(request)
    build = await _find(caller.cluster, app, request.path_params["build"])
    return JSONResponse(_body(context, request, build))


async def cancel(request: Request) -> Response:
    """Ask for a build to be stopped."""
    context = context_of(request)
    caller, app = await context.app(request)
    build = await _find(caller.cluster, app, request.path_params["build"])
    meta, result = build["metadata"], (build.get("status") or {}).get("result")
    if result in RESULTS:
        raise Problem(
            422, "invalid_params", f"Build {meta['name']} has ended already: {result.lower()}."
        )
    stopped = await caller.cluster.patch(
        BUILDS, meta["name"], meta["namespace"], {"spec": {"cancel": True}}
    )
    return JSONResponse(_body(context, request, stopped))


async def purge_cache(request: Request) -> Response:
    """Let the app's next build start with an empty cache."""
    context = context_of(request)
    caller, app = await context.app(request)
    meta = app["metadata"]
    mark = {"metadata": {"annotations": {labels.BUILD_CACHE: secrets.token_hex(8)}}}
    await caller.cluster.patch(APPS, meta["name"], meta["namespace"], mark)
    return JSONResponse({})


async def show_log(request: Request) -> Response:
    """Stream what a build prints, from byte ``offset``, until the build ends."""
    context = context_of(request)
    cluster, namespace, name = await _log_place(context, request)
    chunks = context.logs.stream(cluster, namespace, name, offset=_offset(request))
    first = await anext(chunks, b"")  # a refusal must come before the headers
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(_all(first, chunks), media_type="text/plain", headers=headers)


async def _log_place(context: Context, request: Request) -> tuple[Cluster, str, str]:
    """Return where the log is and whose rights read it: a link's, else the caller's own."""
    if link := request.query_params.get("capability"):
        namespace, _, name = context.capabilities.check(link, "LOG").partition("/")
        return context.own, namespace, name
    caller, app = await context.app(request)
    build = await _find(caller.cluster, app, request.path_params["build"])
    return caller.cluster, build["metadata"]["namespace"], build["metadata"]["name"]


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the log as a terminal may show it, byte for byte as long as it is."""
    sieve = Sieve()
    yield sieve.take(first)
    async for chunk in rest:
        yield sieve.take(chunk)
    yield sieve.end()


def _offset(request: Request) -> int:
    text = request.query_params.get("offset", "0")
    if not text.isdecimal():
        raise Problem(400, "bad_request", f"offset {text!r:.40} must be a number of bytes.")
    return int(text[:18])


async def _builds(cluster: Cluster, app: Json) -> list[Json]:
    meta = app["metadata"]
    fields = f"spec.appRef.name={meta['name']}"
    return list((await cluster.list(BUILDS, meta["namespace"], fields=fields)).items)


async def _find(cluster: Cluster, app: Json, identity: str) -> Json:
    """Return the app's build of this name or id."""
    if identity.startswith(f"{app['metadata']['name']}-") and "/" not in identity:
        try:
            build = await cluster.get(BUILDS, identity, app["metadata"]["namespace"])
        except NotFound:
            raise not_found("build", identity[:80]) from None
        if build["spec"]["appRef"]["name"] == app["metadata"]["name"]:
            return build
    for build in await _builds(cluster, app):
        if build["metadata"]["uid"] == identity:
            return build
    raise not_found("build", identity[:80])


def _buildpacks(wish: dict[str, Any]) -> list[dict[str, str]]:
    """Return the buildpacks of a request, each with one of ``name`` and ``url``."""
    wished = wish.get("buildpacks") or []
    if not isinstance(wished, list):
        raise Problem(422, "invalid_params", "buildpacks must be a list of {name} or {url}.")
    return [_buildpack(entry) for entry in wished]


def _buildpack(entry: object) -> dict[str, str]:
    if isinstance(entry, dict):
        for field in ("name", "url"):
            if value := entry.get(field):
                key = "url" if "://" in str(value) else "name"
                return {key: str(value)}
    raise Problem(422, "invalid_params", f"Buildpack {entry!r:.80} needs a name or a url.")


def _body(context: Context, request: Request, build: Json) -> Json:
    meta = build["metadata"]
    link = context.capabilities.grant("LOG", f"{meta['namespace']}/{meta['name']}", _LINK_SECONDS)
    app = build["spec"]["appRef"]["name"]
    path = f"/apps/{app}/builds/{meta['name']}/log?capability={link}"
    return serialize.build(build, log_url=context.api_url(request) + path)


_ONE: Final = "/apps/{app}/builds/{build}"

ROUTES: Final = [
    Route("/apps/{app}/builds", list_all, methods=["GET"]),
    Route("/apps/{app}/builds", create, methods=["POST"]),
    Route("/apps/{app}/build-cache", purge_cache, methods=["DELETE"]),
    Route(_ONE, show, methods=["GET"]),
    Route(_ONE, cancel, methods=["DELETE"]),
    Route(f"{_ONE}/log", show_log, methods=["GET"]),
]
