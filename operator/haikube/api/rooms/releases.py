"""Releases: the ledger, what a release runs with, rollback, the output of its release phase."""

from __future__ import annotations

import secrets
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haikube.api.bodies.release import release_body, slug_body, slug_id
from haikube.api.kernel.call import Call
from haikube.api.kernel.context import context_of
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import app_name
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.api.kernel.rights import Right
from haikube.api.rooms.config import decoded, read_secret, restore
from haikube.api.rooms.lookup import app_releases
from haikube.api.streams.text import printed, text_stream
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.names import release_name
from haikube.model.resources import RELEASES

room: Final = Room()

_LINK_SECONDS: Final = 600
_WAIT_SECONDS: Final = 25.0


@room.get("/apps/{app}/releases")
async def list_all(call: Call) -> list[Json]:
    """Answer an app's releases, the oldest first."""
    app = await call.app()
    await call.require(Right("list", RELEASES), app["metadata"]["namespace"])
    return [_shown(call, app, each) for each in reversed(app_releases(call, app))]


@room.get("/apps/{app}/releases/{release}")
async def show(call: Call) -> Json:
    """Answer one release, by number or id."""
    app = await call.app()
    return _shown(call, app, await _find(call, app))


@room.get("/apps/{app}/releases/{release}/config-vars")
async def show_config(call: Call) -> Json:
    """Answer the config vars that a release runs with."""
    app = await call.app()
    version = (await _find(call, app))["spec"]["version"]
    return decoded(await read_secret(call, app, release_name(app["metadata"]["name"], version)))


@room.post("/apps/{app}/releases")
async def create(call: Call) -> Json:
    """Roll back to an earlier release, or release a slug again."""
    app = await call.app()
    wish = await call.body()
    if wish.get("release") is not None:
        release = _named(call, app, str(wish["release"]))
        return await _roll_back(call, app, release, wish.get("description"))
    slug = wish.get("slug")
    if not isinstance(slug, str):
        raise invalid("Say what to release: an earlier release, or the id of a slug.")
    release = _with_slug(call, app, slug)
    if (release.get("status") or {}).get("result") == "Failed":
        return await _retry(call, app, release)
    return await _roll_back(call, app, release, wish.get("description"))


@room.get("/apps/{app}/slugs/{slug}")
async def show_slug(call: Call) -> Json:
    """Answer a slug, with a link that downloads it for a few minutes."""
    app = await call.app()
    await call.require(Right("list", RELEASES), app["metadata"]["namespace"])
    release = _with_slug(call, app, call.path("slug"))
    key = str(release["spec"]["slug"]["key"])
    link = call.context.capabilities.grant("SLUG", key, _LINK_SECONDS)
    commit = (release["metadata"].get("annotations") or {}).get(labels.COMMIT, "")
    return slug_body(release, url=f"{call.base}/slugs?capability={link}", commit=commit)


@room.post("/apps/{app}/slugs")
async def create_slug(call: Call) -> Json:
    """Refuse: slugs are made by builds."""
    await call.app()
    raise invalid("Slugs are made by builds here: git push, or POST /apps/APP/builds.")


async def download_slug(request: Request) -> Response:
    """Stream a slug to whoever holds a link to it."""
    context = context_of(request)
    key = context.capabilities.check(request.query_params.get("capability", ""), "SLUG")
    await context.storage.head(key)
    return text_stream(context.storage.stream(key), media_type="application/zstd")


async def stream_output(request: Request) -> Response:
    """Stream what a release command prints, until it ends, to whoever holds a link to it."""
    context = context_of(request)
    place = context.capabilities.check(request.query_params.get("capability", ""), "OUTPUT")
    namespace, _, name = place.partition("/")
    return await printed(context.logs.release_phase(context.own, namespace, name))


room.routes += [
    Route("/slugs", download_slug, methods=["GET"]),
    Route("/apps/{app}/releases/{release}/output", stream_output, methods=["GET"]),
]


def _shown(call: Call, app: Json, release: Json) -> Json:
    return release_body(release, app, output_url=_output_url(call, app, release))


def _output_url(call: Call, app: Json, release: Json) -> str | None:
    slug = release["spec"].get("slug") or {}
    types = {each["name"] for each in slug.get("processTypes") or ()}
    if "release" not in types and not (release.get("status") or {}).get("phaseJobName"):
        return None
    meta = release["metadata"]
    link = call.context.capabilities.grant(
        "OUTPUT", f"{meta['namespace']}/{meta['name']}", _LINK_SECONDS
    )
    path = f"/apps/{app_name(app)}/releases/{release['spec']['version']}/output"
    return f"{call.base}{path}?capability={link}"


async def _find(call: Call, app: Json) -> Json:
    await call.require(Right("list", RELEASES), app["metadata"]["namespace"])
    return _named(call, app, call.path("release"))


def _named(call: Call, app: Json, identity: str) -> Json:
    """Return the release of a number, with or without v, or of an id."""
    number = identity.removeprefix("v")
    for each in app_releases(call, app):
        if each["metadata"]["uid"] == identity or str(each["spec"]["version"]) == number:
            return each
    raise not_found("release", identity)


def _with_slug(call: Call, app: Json, identity: str) -> Json:
    """Return the newest release of a slug."""
    for each in app_releases(call, app):
        slug = each["spec"].get("slug")
        if slug and slug_id(slug) == identity:
            return each
    raise not_found("slug", identity)


async def _roll_back(call: Call, app: Json, release: Json, description: object) -> Json:
    spec, meta = release["spec"], app["metadata"]
    if not spec.get("slug"):
        raise invalid(f"v{spec['version']} has no slug: there is no code in it to go back to.")
    if (release.get("status") or {}).get("result") != "Succeeded":
        raise invalid(f"v{spec['version']} did not succeed: choose a release that ran.")
    wish = {
        "appRef": {"name": meta["name"]},
        "rollbackOf": spec["version"],
        "author": call.caller.email,
        **({"description": description} if isinstance(description, str) else {}),
    }
    body = {
        "apiVersion": RELEASES.api_version,
        "kind": RELEASES.kind,
        "metadata": {
            "generateName": f"{meta['name']}-rollback-",
            "namespace": meta["namespace"],
            "labels": {labels.APP: meta["name"], labels.APP_UID: meta["uid"]},
        },
        "spec": wish,
    }
    request = await call.create(RELEASES, body)
    made = await _answered(call, app, request)
    await restore(call, app, release)
    return _shown(call, app, made)


async def _answered(call: Call, app: Json, request: Json) -> Json:
    """Wait for the release that a request asks for; raises a 422 ``Problem`` with its refusal."""
    uid = request["metadata"]["uid"]

    def found() -> Json | None:
        for each in app_releases(call, app):
            if (each["metadata"].get("annotations") or {}).get(labels.REQUESTED_BY) == uid:
                return each
        return _refused(call, uid)

    answer = await call.context.observed.until(found, _WAIT_SECONDS)
    if answer is None:
        raise Problem(
            503,
            "service_unavailable",
            "The rollback is noted, but has not begun. See: heroku releases",
        )
    if not answer["spec"].get("version"):
        raise invalid(_reason(answer))
    return answer


def _refused(call: Call, uid: str) -> Json | None:
    request = call.context.observed.by_uid(RELEASES, uid)
    return request if request and _reason(request) else None


def _reason(request: Json) -> str:
    conditions: list[dict[str, Any]] = (request.get("status") or {}).get("conditions") or []
    told = [each for each in conditions if each["type"] == "Stalled" and each["status"] == "True"]
    return str(told[0].get("message") or told[0]["reason"]) if told else ""


async def _retry(call: Call, app: Json, release: Json) -> Json:
    """Run the release phase of a failed release again; it keeps its number."""
    mark = {"metadata": {"annotations": {labels.RETRY: secrets.token_hex(8)}}}
    return _shown(call, app, await call.patch(RELEASES, release, mark))
