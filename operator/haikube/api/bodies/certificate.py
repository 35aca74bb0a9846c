"""Certificates as SNI endpoints; the private key is never among what is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from haikube.api.bodies.parts import app_ref, created
from haikube.api.kernel.identity import made_id
from haikube.cluster.port import Json
from haikube.model.certificate import Certificate

_NEVER: Final = "1970-01-01T00:00:00Z"


def endpoint_body(
    app: Json, name: str, certificate: Certificate | None, *, domains: list[str]
) -> Json:
    """Return an SNI endpoint; a certificate that the caller may not read is None."""
    uid = app["metadata"]["uid"]
    return {
        "id": made_id("sni", f"{uid}/{name}"),
        "name": name,
        "display_name": None,
        "app": app_ref(app),
        "certificate_chain": certificate.chain if certificate else "",
        "domains": domains,
        "ssl_cert": _ssl(uid, name, certificate),
        "created_at": created(app),
        "updated_at": created(app),
    }


def _ssl(uid: str, name: str, certificate: Certificate | None) -> Json:
    known = certificate
    return {
        "id": made_id("certificate", f"{uid}/{name}"),
        "acm": False,
        "ca_signed?": bool(known and not known.self_signed),
        "self_signed?": bool(known and known.self_signed),
        "cert_domains": list(known.domains) if known else [],
        "expires_at": _time(known.expires_at) if known else _NEVER,
        "starts_at": _time(known.starts_at) if known else _NEVER,
        "issuer": known.issuer if known else "",
        "subject": known.subject if known else "",
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def automatic_body(app: Json, made: Json, issuer: str, *, domains: list[str]) -> Json:
    """Return the SNI endpoint of a certificate that cert-manager made."""
    status, names = made.get("status") or {}, list(made["spec"]["dnsNames"])
    told = {
        "acm": True,
        "ca_signed?": True,
        "cert_domains": names,
        "expires_at": status.get("notAfter") or _NEVER,
        "starts_at": status.get("notBefore") or _NEVER,
        "issuer": issuer,
        "subject": f"/CN={names[0]}",
    }
    body = endpoint_body(app, "automatic", None, domains=domains)
    return {**body, "ssl_cert": {**body["ssl_cert"], **told}}
