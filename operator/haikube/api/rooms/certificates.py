"""Certificates of an app's domains; the private key goes into a Secret and is never shown again."""

from __future__ import annotations

import base64
import secrets
from typing import Any, Final

from haikube.api.bodies.certificate import (
    Certificate,
    endpoint_body,
    read_certificate,
    require_key,
)
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.api.kernel.revise import revise
from haikube.api.rooms.config import read_secret
from haikube.api.rooms.domains import declared, domain_id
from haikube.api.rooms.lookup import app_owner, certificates
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS, SECRETS

room: Final = Room()

CHAIN: Final = "tls.crt"
KEY: Final = "tls.key"

_PLACES: Final = [
    "tokyo",
    "kyoto",
    "osaka",
    "nara",
    "kobe",
    "nagoya",
    "sendai",
    "sapporo",
    "fukuoka",
    "matsue",
    "akita",
    "gifu",
]
_MOST: Final = 100
_NO_ACM: Final = (
    "Automatic certificates need cert-manager in the cluster, which this platform does not "
    "use yet: add a certificate of your own with heroku certs:add CRT KEY."
)


@room.get("/apps/{app}/sni-endpoints")
async def list_all(call: Call) -> list[Json]:
    """Answer all certificates of an app."""
    app = await call.app()
    return [await _shown(call, app, each) for each in certificates(app)]


@room.get("/apps/{app}/sni-endpoints/{endpoint}")
async def show(call: Call) -> Json:
    """Answer one certificate, by name or id."""
    app = await call.app()
    return await _shown(call, app, _find(call, app))


@room.post("/apps/{app}/sni-endpoints")
async def add(call: Call) -> Json:
    """Add a certificate; the app's domains that it names and that have none use it."""
    app = await call.app()
    wish = await call.body()
    certificate = _checked(wish)
    name = f"{secrets.choice(_PLACES)}-{1000 + secrets.randbelow(90000)}"
    entry = {"name": name, "secretName": f"{app['metadata']['name']}-cert-{name}"}
    await call.create(SECRETS, _secret(call, app, entry, wish))

    def added(now: Json) -> dict[str, Any]:
        if len(certificates(now)) >= _MOST:
            raise invalid(f"An app has at most {_MOST} certificates: remove one that is not used.")
        hosts = [_served(each, certificate, name) for each in declared(now)]
        return {"certificates": [*certificates(now), entry], "domains": hosts}

    made = await revise(call, APPS, app, added)
    return endpoint_body(made, name, certificate, domains=_domains(made, name))


@room.patch("/apps/{app}/sni-endpoints/{endpoint}")
async def update(call: Call) -> Json:
    """Put another certificate in the place of one."""
    app = await call.app()
    wish = await call.body()
    certificate = _checked(wish)
    entry = _find(call, app)
    meta = {"name": entry["secretName"], "namespace": app["metadata"]["namespace"]}
    await call.patch(SECRETS, {"metadata": meta}, {"data": _data(wish)})
    name = str(entry["name"])
    return endpoint_body(app, name, certificate, domains=_domains(app, name))


@room.delete("/apps/{app}/sni-endpoints/{endpoint}")
async def remove(call: Call) -> Json:
    """Remove a certificate: its key is erased, its domains answer without it."""
    app = await call.app()
    entry = _find(call, app)
    answer = await _shown(call, app, entry)

    def without(now: Json) -> dict[str, Any]:
        left = [each for each in certificates(now) if each["name"] != entry["name"]]
        hosts = [
            {"hostname": each["hostname"]} if each.get("certificate") == entry["name"] else each
            for each in declared(now)
        ]
        return {"certificates": left, "domains": hosts}

    await revise(call, APPS, app, without)
    meta = {"name": entry["secretName"], "namespace": app["metadata"]["namespace"]}
    await call.patch(SECRETS, {"metadata": meta}, {"data": {CHAIN: None, KEY: None}})
    return answer


@room.post("/apps/{app}/acm", status=200)
@room.patch("/apps/{app}/acm")
async def no_acm(call: Call) -> Json:
    """Refuse automatic certificates."""
    await call.app()
    raise invalid(_NO_ACM)


@room.delete("/apps/{app}/acm")
async def end_acm(call: Call) -> Json:
    """Answer that there are no automatic certificates to end."""
    await call.app()
    raise invalid("Automatic certificates are not in use for this app.")


def _checked(wish: dict[str, Any]) -> Certificate:
    chain, key = _text(wish["certificate_chain"]), _text(wish["private_key"])
    certificate = read_certificate(chain)
    require_key(chain, key)
    return certificate


def _text(value: object) -> str:
    """Return PEM text; the command line sends a file as Node's form of its bytes, too."""
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        try:
            return bytes(value["data"]).decode("ascii", "replace")
        except (ValueError, TypeError):
            return ""
    return str(value)


def _find(call: Call, app: Json) -> dict[str, Any]:
    wanted = call.path("endpoint")
    for each in certificates(app):
        if wanted in {each["name"], made_id("sni", f"{app['metadata']['uid']}/{each['name']}")}:
            return each
    raise not_found("sni_endpoint", wanted)


async def _shown(call: Call, app: Json, entry: dict[str, Any]) -> Json:
    name = str(entry["name"])
    certificate = await _certificate(call, app, str(entry["secretName"]))
    return endpoint_body(app, name, certificate, domains=_domains(app, name))


async def _certificate(call: Call, app: Json, secret: str) -> Certificate | None:
    """Return a certificate as the caller may read it."""
    try:
        data = (await read_secret(call, app, secret) or {}).get("data") or {}
        return read_certificate(base64.b64decode(data.get(CHAIN, "")).decode())
    except (Problem, ValueError):
        return None


def _domains(app: Json, name: str) -> list[str]:
    return [
        domain_id(app, each["hostname"])
        for each in declared(app)
        if each.get("certificate") == name
    ]


def _served(entry: dict[str, Any], certificate: Certificate, name: str) -> dict[str, Any]:
    if entry.get("certificate") or not _covers(certificate, str(entry["hostname"])):
        return entry
    return {**entry, "certificate": name}


def _covers(certificate: Certificate, hostname: str) -> bool:
    wildcard = f"*.{hostname.partition('.')[2]}"
    return bool({hostname, wildcard} & {each.lower() for each in certificate.domains})


def _secret(call: Call, app: Json, entry: dict[str, Any], wish: dict[str, Any]) -> dict[str, Any]:
    meta = app["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": entry["secretName"],
            "namespace": meta["namespace"],
            "labels": {labels.APP: meta["name"]},
            "annotations": {labels.AUTHOR: call.caller.email},
            "ownerReferences": [app_owner(app)],
        },
        "data": _data(wish),
    }


def _data(wish: dict[str, Any]) -> dict[str, str]:
    texts = {CHAIN: _text(wish["certificate_chain"]), KEY: _text(wish["private_key"])}
    return {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
