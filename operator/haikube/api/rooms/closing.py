"""Maintenance is on, or off, once the gateway answers so: a command that is done has an effect."""

from __future__ import annotations

from typing import Final

from haikube.api.bodies.app import current_release
from haikube.api.kernel.addresses import app_host
from haikube.api.kernel.call import Call
from haikube.api.rooms.lookup import app_releases, process_types
from haikube.cluster.port import Json
from haikube.logs.answering import Gateway
from haikube.model.formation import WEB

_SECONDS: Final = 8.0


async def until_answered(call: Call, app: Json, *, closed: bool) -> None:
    """Wait, not for long, until requests to an app are answered by the platform, or by a dyno."""
    address = call.settings.gateway_address
    if not address or not _has_dynos(call, app):
        return
    gateway = Gateway(address, seconds=_SECONDS)
    host = app_host(app, call.settings)
    if closed:
        await gateway.closed_problem(host)
    else:
        await gateway.problem(host, 1)


def _has_dynos(call: Call, app: Json) -> bool:
    """Return whether web dynos are up that could answer."""
    release = current_release(app_releases(call, app)) or {}
    if not (release.get("spec") or {}).get("slug"):
        return False
    web = process_types(call, app).get(WEB)
    status = ((web.obj if web else None) or {}).get("status") or {}
    return bool(web and web.quantity and status.get("readyReplicas"))
