"""Domains: the host names by which an app answers besides its own."""

from __future__ import annotations

import re
from typing import Any, Final

from haikube.api.bodies.parts import app_ref, created
from haikube.api.kernel.addresses import app_host
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import invalid, not_found
from haikube.api.kernel.revise import revise
from haikube.api.rooms.automatic import Progress, progress
from haikube.api.rooms.lookup import certificates
from haikube.api.rooms.serving import (
    is_reached,
    readable_certificate,
    require_servable,
    until_served,
)
from haikube.cluster.port import Json
from haikube.model.certificate import Certificate
from haikube.model.resources import APPS

room: Final = Room()

_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOSTNAME: Final = re.compile(rf"(\*\.)?({_LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?")
_LONGEST: Final = 253
_MOST: Final = 100


@room.get("/apps/{app}/domains")
async def list_all(call: Call) -> list[Json]:
    """Answer all domains, the app's own first."""
    app = await call.app()
    made = await progress(call, app)
    return [_own(call, app), *(_custom(call, app, each, made) for each in declared(app))]


@room.get("/apps/{app}/domains/{domain}")
async def show(call: Call) -> Json:
    """Answer one domain, by host name or id."""
    for each in await list_all(call):
        if call.path("domain").lower() in {each["hostname"], each["id"]}:
            return each
    raise not_found("domain", call.path("domain"))


@room.post("/apps/{app}/domains")
async def add(call: Call) -> Json:
    """Add a domain that nobody else has."""
    app = await call.app()
    wish = await call.body()
    hostname = _hostname(call, wish["hostname"])
    _require_free(call, app, hostname)
    certificate = await _certificate(call, app, wish.get("sni_endpoint"), hostname)

    def added(now: Json) -> dict[str, Any]:
        if any(each["hostname"] == hostname for each in declared(now)):
            raise invalid(f"Domain already added to this app: {hostname}.")
        if len(declared(now)) >= _MOST:
            raise invalid(
                f"An app has at most {_MOST} domains: use a wildcard such as *.example.com."
            )
        return {"domains": [*declared(now), _entry(hostname, certificate)]}

    made = await revise(call, APPS, app, added)
    if certificate:
        await until_served(call, made, [hostname], served=True)
    return _custom(call, made, _entry(hostname, certificate), await progress(call, made))


@room.patch("/apps/{app}/domains/{domain}")
async def update(call: Call) -> Json:
    """Choose the certificate of a domain."""
    app = await call.app()
    wish = await call.body()
    entry = _find(call, app)
    hostname = str(entry["hostname"])
    certificate = await _certificate(call, app, wish.get("sni_endpoint"), hostname)
    chosen = _entry(hostname, certificate)

    def changed(now: Json) -> dict[str, Any]:
        hosts = declared(now)
        return {
            "domains": [
                chosen if each["hostname"] == chosen["hostname"] else each for each in hosts
            ]
        }

    made = await revise(call, APPS, app, changed)
    if certificate or entry.get("certificate"):
        await until_served(call, made, [hostname], served=bool(certificate))
    return _custom(call, made, chosen, await progress(call, made))


@room.delete("/apps/{app}/domains/{domain}")
async def remove(call: Call) -> Json:
    """Remove a domain."""
    app = await call.app()
    entry = _find(call, app)

    def without(now: Json) -> dict[str, Any]:
        return {
            "domains": [each for each in declared(now) if each["hostname"] != entry["hostname"]]
        }

    made = await revise(call, APPS, app, without)
    if entry.get("certificate"):
        await until_served(call, made, [str(entry["hostname"])], served=False)
    return _custom(call, app, entry, None)


def declared(app: Json) -> list[dict[str, Any]]:
    """Return the domains in the spec of an app."""
    return list((app.get("spec") or {}).get("domains") or ())


def domain_id(app: Json, hostname: str) -> str:
    """Return the id of a domain of an app."""
    return made_id("domain", f"{app['metadata']['uid']}/{hostname}")


def target(call: Call, app: Json) -> str:
    """Return where a domain has to point to: the host that an app has by its name."""
    return app_host(app, call.settings)


def _find(call: Call, app: Json) -> dict[str, Any]:
    wanted = call.path("domain").lower()
    for each in declared(app):
        if wanted in {each["hostname"], domain_id(app, each["hostname"])}:
            return each
    if wanted in {target(call, app), domain_id(app, target(call, app))}:
        raise invalid(f"{wanted} is the app's own name: rename the app to change it.")
    raise not_found("domain", wanted)


def _hostname(call: Call, wish: object) -> str:
    hostname = str(wish).strip().rstrip(".").lower()
    if len(hostname) > _LONGEST or not _HOSTNAME.fullmatch(hostname):
        raise invalid(
            f"{hostname!r:.80} is not a host name like www.example.com or *.example.com: letters, "
            "digits and dashes between dots, without scheme, port and path."
        )
    domain = call.settings.domain
    if hostname == domain or hostname.endswith(f".{domain}"):
        raise invalid(
            f"Names under {domain} are given to apps by their name: rename the app instead."
        )
    return hostname


def _require_free(call: Call, app: Json, hostname: str) -> None:
    for other in call.context.observed.all(APPS):
        if other["metadata"]["uid"] != app["metadata"]["uid"] and any(
            each["hostname"] == hostname for each in declared(other)
        ):
            raise invalid(f"{hostname} is currently in use by another app.")
    if is_reached(call, app, hostname):
        raise invalid(f"{hostname} is currently in use by another team.")


async def _certificate(call: Call, app: Json, wish: object, hostname: str) -> str:
    """Return the name of a certificate that is to serve a host."""
    if not wish:
        return ""
    for each in certificates(app):
        if wish in {each["name"], made_id("sni", f"{app['metadata']['uid']}/{each['name']}")}:
            found = await readable_certificate(call, app, str(each["secretName"]))
            if found is not None:
                require_covers(found, hostname)
                require_servable(call, app, found)
            return str(each["name"])
    raise not_found("sni_endpoint", str(wish))


def require_covers(certificate: Certificate, hostname: str) -> None:
    """Raise a 422 ``Problem`` unless a certificate is for a host."""
    if not certificate.covers(hostname):
        names = ", ".join(certificate.domains) or "no host"
        raise invalid(f"The certificate is for {names}, not for the domain {hostname}.")


def _entry(hostname: str, certificate: str) -> dict[str, Any]:
    return {"hostname": hostname, **({"certificate": certificate} if certificate else {})}


def _own(call: Call, app: Json) -> Json:
    hostname = target(call, app)
    return {**_body(app, hostname, None), "kind": "heroku", "cname": None}


def _custom(call: Call, app: Json, entry: dict[str, Any], made: Progress | None) -> Json:
    name = entry.get("certificate")
    uid = app["metadata"]["uid"]
    certificate = {"id": made_id("sni", f"{uid}/{name}"), "name": name} if name else None
    body = _body(app, entry["hostname"], certificate)
    told: dict[str, Any] = {"kind": "custom", "cname": target(call, app)}
    if made is not None and entry["hostname"] in made.hosts:
        told |= {"acm_status": made.status, "acm_status_reason": made.reason}
    return {**body, **told}


def _body(app: Json, hostname: str, certificate: Json | None) -> Json:
    return {
        "id": domain_id(app, hostname),
        "app": app_ref(app),
        "hostname": hostname,
        "status": "none",
        "sni_endpoint": certificate,
        "acm_status": None,
        "acm_status_reason": None,
        "created_at": created(app),
        "updated_at": created(app),
    }
