"""Uploaded sources: a link to put an archive to, and the archive that a build is made of.

``POST /sources`` knows no app, as Heroku defines it: such an upload waits under ``pending`` and is
copied to its app when a build names it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from haikube.api.kernel.call import Call
from haikube.api.kernel.context import Context, context_of
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.problems import Problem
from haikube.api.kernel.rights import Right
from haikube.cluster.port import Json
from haikube.git.body import read_body
from haikube.model.names import source_key
from haikube.model.resources import BUILDS
from haikube.storage.port import MissingObject

_LINK_SECONDS: Final = 3600
_NOTE_LIMIT: Final = 4096
_PENDING: Final = "pending"
_ARCHIVE: Final = ".tar.gz"
_PATH: Final = "/sources/"
_CHECKSUM: Final = "sha256:"
_DIGITS: Final = 64


room: Final = Room()


@room.post("/sources")
async def create_source(call: Call) -> Json:
    """Answer links for an upload that no app is known for yet."""
    return _links(call, source_key(_PENDING, _new_archive()))


@room.post("/apps/{app}/sources")
async def create_app_source(call: Call) -> Json:
    """Answer links for an upload to one app, to who may build it."""
    app = await call.app()
    await call.require(Right("create", BUILDS), app["metadata"]["namespace"])
    return _links(call, source_key(app["metadata"]["uid"], _new_archive()))


async def put_source(request: Request) -> Response:
    """Store an archive; its digest is kept beside it for the build."""
    context = context_of(request)
    key = context.capabilities.check(request.path_params["link"], "PUT")
    digest, size = hashlib.sha256(), 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal size
        async for chunk in read_body(request, context.settings.source_limit):
            digest.update(chunk)
            size += len(chunk)
            yield chunk

    await context.storage.put(key, counted())
    note = {"digest": f"{_CHECKSUM}{digest.hexdigest()}", "sizeBytes": size}
    await context.storage.put(_note_key(key), json.dumps(note).encode())
    return Response(status_code=200)


async def get_source(request: Request) -> Response:
    """Answer an archive that was uploaded."""
    context = context_of(request)
    key = context.capabilities.check(request.path_params["link"], "GET")
    await context.storage.head(key)
    return StreamingResponse(context.storage.stream(key), media_type="application/gzip")


async def build_source(context: Context, uid: str, blob: dict[str, Any]) -> dict[str, Any]:
    """Return ``Build.spec.source`` for the ``source_blob`` of a request."""
    url = blob.get("url")
    if not isinstance(url, str) or not url:
        raise Problem(422, "invalid_params", 'source_blob needs a "url": see POST /sources.')
    parts = urlsplit(url)
    if parts.path.startswith(_PATH):
        link = parts.path.removeprefix(_PATH)
        return await _uploaded(context, uid, context.capabilities.check(link, "GET"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise Problem(
            422,
            "invalid_params",
            "source_blob.url must be http or https, without a user name or password in it.",
        )
    return {"blob": {"url": url, "checksum": _checksum(blob.get("checksum"))}}


def _links(call: Call, key: str) -> Json:
    base = f"{call.base}{_PATH}"
    blob = {
        f"{act.lower()}_url": base + call.context.capabilities.grant(act, key, _LINK_SECONDS)
        for act in ("GET", "PUT")
    }
    return {"source_blob": blob}


async def _uploaded(context: Context, uid: str, key: str) -> dict[str, Any]:
    try:
        note = json.loads(await context.storage.get(_note_key(key), limit=_NOTE_LIMIT))
    except MissingObject:
        raise Problem(
            422, "invalid_params", "Nothing was uploaded: PUT the archive to put_url first."
        ) from None
    if key.startswith(source_key(_PENDING, "")):
        key = await _adopt(context, uid, key)
    if not key.startswith(source_key(uid, "")):
        raise Problem(422, "invalid_params", "This source was uploaded for another app.")
    return {"archive": {"key": key, **note}}


async def _adopt(context: Context, uid: str, key: str) -> str:
    """Copy a pending upload to its app; the sweep removes what is left."""
    own = source_key(uid, _new_archive())
    await context.storage.put(own, context.storage.stream(key))
    return own


def _new_archive() -> str:
    return secrets.token_hex(16) + _ARCHIVE


def _note_key(key: str) -> str:
    return key.removesuffix(_ARCHIVE) + ".json"


def _checksum(text: object) -> str:
    value = str(text or "").lower()
    digits = value.removeprefix(_CHECKSUM)
    if value == digits or len(digits) != _DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise Problem(
            422,
            "invalid_params",
            f"source_blob.checksum {text!r:.80} must be SHA256:<64 hex digits> of the archive.",
        )
    return value


room.routes += [
    Route("/sources/{link}", put_source, methods=["PUT"]),
    Route("/sources/{link}", get_source, methods=["GET"]),
]
