"""``heroku drains``: where else an app's log goes; kept in a Secret, as a URL may hold one."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.problems import invalid, not_found
from haikube.api.rooms.config import read_secret
from haikube.api.rooms.lookup import app_owner
from haikube.cluster.errors import NotFound
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.drain import Drain, drain_data, parse_drains, url_problem
from haikube.model.names import drains_secret_name
from haikube.model.reach import Reach
from haikube.model.resources import SECRETS
from haikube.model.times import format_time

room: Final = Room()

_MOST: Final = 5
_LONGEST: Final = 2048


@room.get("/apps/{app}/log-drains")
async def list_all(call: Call) -> list[Json]:
    """Answer an app's drains."""
    return [_body(each) for each in await _drains(call, await call.app())]


@room.get("/apps/{app}/log-drains/{drain:path}")
async def show(call: Call) -> Json:
    """Answer one drain, by id, URL or token."""
    return _body(await _find(call, await call.app()))


@room.post("/apps/{app}/log-drains")
async def create(call: Call) -> Json:
    """Send an app's log to one more place."""
    app = await call.app()
    url = (await call.body()).get("url")
    if not isinstance(url, str) or len(url) > _LONGEST or (problem := url_problem(url)):
        problem = problem if isinstance(url, str) and len(url) <= _LONGEST else "it is no URL"
        raise invalid(f"The drain cannot be added: {problem}.")
    if Reach(call.settings.drain_networks).is_barred(host := urlsplit(url).hostname or ""):
        raise invalid(f"The drain cannot be added: {host} is private, and drains do not reach it.")
    drains = await _drains(call, app)
    if any(each.url == url for each in drains):
        raise invalid("The app has this drain already.")
    if len(drains) >= _MOST:
        raise invalid(f"An app has at most {_MOST} drains. Remove one first.")
    now = format_time(datetime.now(UTC))
    drain = Drain(str(uuid.uuid4()), url, f"d.{uuid.uuid4()}", now)
    await _write(call, app, drain_data(drain))
    return _body(drain)


@room.delete("/apps/{app}/log-drains/{drain:path}")
async def remove(call: Call) -> Json:
    """Send it there no more."""
    app = await call.app()
    drain = await _find(call, app)
    await _write(call, app, {drain.id: None})
    return _body(drain)


async def _drains(call: Call, app: Json) -> tuple[Drain, ...]:
    secret = await read_secret(call, app, drains_secret_name(app["metadata"]["name"]))
    return parse_drains(secret or {})


async def _find(call: Call, app: Json) -> Drain:
    identity = call.path("drain")
    for each in await _drains(call, app):
        if identity in {each.id, each.url, each.token}:
            return each
    raise not_found("log_drain", "The drain")


async def _write(call: Call, app: Json, data: dict[str, Any]) -> None:
    """Change some keys of the Secret, which is made with the first."""
    meta = app["metadata"]
    name = drains_secret_name(meta["name"])
    cluster = call.caller.cluster
    try:
        await cluster.patch(SECRETS, name, meta["namespace"], {"data": data})
    except NotFound:
        await cluster.create(SECRETS, _secret(app, name, data))


def _secret(app: Json, name: str, data: dict[str, Any]) -> Json:
    meta = app["metadata"]
    marks = {labels.APP: meta["name"], labels.APP_UID: meta["uid"], labels.DRAINS: "true"}
    return {
        "apiVersion": SECRETS.api_version,
        "kind": SECRETS.kind,
        "type": "Opaque",
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": marks,
            "ownerReferences": [app_owner(app)],
        },
        "data": data,
    }


def _body(drain: Drain) -> Json:
    return {
        "id": drain.id,
        "url": drain.url,
        "token": drain.token,
        "addon": None,
        "created_at": drain.created,
        "updated_at": drain.created,
    }
