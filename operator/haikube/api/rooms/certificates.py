"""Certificates of an app's domains; the private key goes into a Secret and is never shown again."""

from __future__ import annotations

import base64
import secrets
from typing import Any, Final

from haikube.api.bodies.certificate import endpoint_body
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id
from haikube.api.kernel.problems import invalid, not_found
from haikube.api.kernel.revise import revise
from haikube.api.rooms.automatic import endpoints
from haikube.api.rooms.domains import declared, domain_id, require_covers
from haikube.api.rooms.lookup import app_owner, certificates
from haikube.api.rooms.serving import readable_certificate, require_servable, until_served
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.certificate import (
    Certificate,
    InvalidCertificate,
    read_certificate,
    require_key,
)
from haikube.model.resources import APPS, SECRETS
from haikube.plan.certificates.serving import CHAIN, KEY

room: Final = Room()

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


@room.get("/apps/{app}/sni-endpoints")
async def list_all(call: Call) -> list[Json]:
    """Answer all certificates of an app."""
    app = await call.app()
    own = [await _shown(call, app, each) for each in certificates(app)]
    ids = {each["hostname"]: domain_id(app, each["hostname"]) for each in declared(app)}
    return [*own, *await endpoints(call, app, ids)]


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
    _require_servable(call, app, certificate)
    name = f"{secrets.choice(_PLACES)}-{1000 + secrets.randbelow(90000)}"
    entry = {"name": name, "secretName": f"{app['metadata']['name']}-cert-{name}"}
    await call.create(SECRETS, _secret(call, app, entry, wish))

    def added(now: Json) -> dict[str, Any]:
        if len(certificates(now)) >= _MOST:
            raise invalid(f"An app has at most {_MOST} certificates: remove one that is not used.")
        hosts = [_served(each, certificate, name) for each in declared(now)]
        return {"certificates": [*certificates(now), entry], "domains": hosts}

    made = await revise(call, APPS, app, added)
    await until_served(call, made, _hosts(made, name), served=True)
    return endpoint_body(made, name, certificate, domains=_domains(made, name))


@room.patch("/apps/{app}/sni-endpoints/{endpoint}")
async def update(call: Call) -> Json:
    """Put another certificate in the place of one."""
    app = await call.app()
    wish = await call.body()
    certificate = _checked(wish)
    entry = _find(call, app)
    for host in _hosts(app, str(entry["name"])):
        require_covers(certificate, host)
        require_servable(call, app, certificate)
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

    made = await revise(call, APPS, app, without)
    await until_served(call, made, _hosts(app, str(entry["name"])), served=False)
    meta = {"name": entry["secretName"], "namespace": app["metadata"]["namespace"]}
    await call.patch(SECRETS, {"metadata": meta}, {"data": {CHAIN: None, KEY: None}})
    return answer


def _checked(wish: dict[str, Any]) -> Certificate:
    chain, key = _text(wish["certificate_chain"]), _text(wish["private_key"])
    try:
        require_key(chain, key)
        return read_certificate(chain)
    except InvalidCertificate as error:
        raise invalid(str(error)) from None


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
    certificate = await readable_certificate(call, app, str(entry["secretName"]))
    return endpoint_body(app, name, certificate, domains=_domains(app, name))


def _require_servable(call: Call, app: Json, certificate: Certificate) -> None:
    """Refuse a certificate that some domain would use; one that none does may wait."""
    free = (each for each in declared(app) if not each.get("certificate"))
    if any(certificate.covers(str(each["hostname"])) for each in free):
        require_servable(call, app, certificate)


def _hosts(app: Json, name: str) -> list[str]:
    return [str(each["hostname"]) for each in declared(app) if each.get("certificate") == name]


def _domains(app: Json, name: str) -> list[str]:
    return [
        domain_id(app, each["hostname"])
        for each in declared(app)
        if each.get("certificate") == name
    ]


def _served(entry: dict[str, Any], certificate: Certificate, name: str) -> dict[str, Any]:
    if entry.get("certificate") or not certificate.covers(str(entry["hostname"])):
        return entry
    return {**entry, "certificate": name}


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
