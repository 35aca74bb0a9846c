"""Automatic certificates: cert-manager makes and renews them, where the platform has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from haikube.api.bodies.certificate import automatic_body
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.problems import invalid
from haikube.api.rooms.apps import shown
from haikube.cluster.errors import ApiError
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.app import parse_app
from haikube.model.resources import APPS, CERTIFICATES
from haikube.plan.certificates.serving import automatic_hosts, automatic_name

room: Final = Room()

_NOT_HERE: Final = (
    "Automatic certificates need cert-manager in the cluster, and its ClusterIssuer in the "
    "setting HAIKUBE_CERTIFICATE_ISSUER: ask whoever runs the platform, or add a certificate of "
    "your own with heroku certs:add CRT KEY."
)
_NOT_IN_USE: Final = "Automatic certificates are not in use for this app."


@dataclass(frozen=True, slots=True)
class Progress:
    """How far automatic certificates are: for which hosts, how it goes, and what is made."""

    hosts: frozenset[str]
    status: str
    reason: str | None
    made: Json | None


@room.post("/apps/{app}/acm", status=200)
async def enable(call: Call) -> Json:
    """Have certificates made for all domains that have none."""
    app = await call.app()
    _require_issuer(call)
    return shown(call, await call.patch(APPS, app, _spec("Enabled")))


@room.patch("/apps/{app}/acm")
async def refresh(call: Call) -> Json:
    """Have them made anew."""
    app = await call.app()
    _require_issuer(call)
    if not is_automatic(app):
        raise invalid(_NOT_IN_USE)
    mark = {labels.CERTIFICATES_REFRESHED: datetime.now(UTC).isoformat(timespec="seconds")}
    return shown(call, await call.patch(APPS, app, {"metadata": {"annotations": mark}}))


@room.delete("/apps/{app}/acm")
async def disable(call: Call) -> Json:
    """Have none made any more; those that are served go."""
    app = await call.app()
    if not is_automatic(app):
        raise invalid(_NOT_IN_USE)
    return shown(call, await call.patch(APPS, app, _spec("Disabled")))


def is_automatic(app: Json) -> bool:
    """Return whether an app has certificates made."""
    return (app.get("spec") or {}).get("automaticCertificates") == "Enabled"


async def progress(call: Call, app: Json) -> Progress | None:
    """Return how automatic certificates of an app are; None where it has none."""
    if not is_automatic(app):
        return None
    parsed = parse_app(app)
    hosts = frozenset(automatic_hosts(parsed, call.settings))
    try:
        space = call.settings.gateway_namespace
        made = await call.context.own.get(CERTIFICATES, automatic_name(parsed), space)
    except ApiError:
        return Progress(hosts, "pending", None, None)
    ready = _condition(made, "Ready")
    if ready.get("status") == "True":
        return Progress(hosts, "cert issued", None, made)
    if _condition(made, "Issuing").get("status") == "False" and ready:
        return Progress(hosts, "failing", str(ready.get("message") or "") or None, made)
    return Progress(hosts, "in-progress", None, made)


async def endpoints(call: Call, app: Json, domains: dict[str, str]) -> list[Json]:
    """Return the automatic certificate as an SNI endpoint, once it is made."""
    found = await progress(call, app)
    if found is None or found.made is None or found.status != "cert issued":
        return []
    ids = [id_ for host, id_ in domains.items() if host in found.hosts]
    return [automatic_body(app, found.made, call.settings.certificate_issuer, domains=ids)]


def _require_issuer(call: Call) -> None:
    if not call.settings.certificate_issuer:
        raise invalid(_NOT_HERE)


def _spec(state: str) -> Json:
    return {"spec": {"automaticCertificates": state}}


def _condition(obj: Json, kind: str) -> dict[str, Any]:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((dict(each) for each in conditions if each.get("type") == kind), {})
