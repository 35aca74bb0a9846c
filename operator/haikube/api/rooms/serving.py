"""Which certificates the gateway serves: asked before one is promised, waited for afterwards."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from typing import Final

from haikube.api.kernel.call import Call
from haikube.api.kernel.problems import Problem, invalid
from haikube.api.rooms.config import read_secret
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.certificate import Certificate, is_named, read_certificate, wildcard_of
from haikube.model.gateway import Gateway, parse_gateway
from haikube.model.resources import APPS, GATEWAYS
from haikube.plan.certificates.claims import wrong_name
from haikube.plan.certificates.serving import CHAIN

_SECONDS: Final = 8.0
_GATEWAY_SECONDS: Final = 0.3
"""Between what the gateway reports and what it does."""


async def readable_certificate(call: Call, app: Json, secret: str) -> Certificate | None:
    """Return the certificate in a Secret, as far as the caller may read it."""
    try:
        data = (await read_secret(call, app, secret) or {}).get("data") or {}
        return read_certificate(base64.b64decode(data.get(CHAIN, "")).decode())
    except (Problem, ValueError):
        return None


def require_servable(call: Call, app: Json, certificate: Certificate) -> None:
    """Raise a 422 ``Problem`` when a certificate would answer for what is not the app's team's."""
    if wrong := wrong_name(certificate, call.settings):
        raise invalid(f"This certificate cannot be served: {wrong}.")
    for host in _foreign_hosts(call, app):
        if is_named(host, certificate.names):
            raise invalid(f"This certificate cannot be served: {host} is in use by another team.")
    for other in _foreign_gateways(call, app):
        shared = sorted(other.names & set(certificate.names))
        if shared and certificate.fingerprint not in other.fingerprints:
            raise invalid(
                f"This certificate cannot be served: another team serves one for {shared[0]}."
            )


def is_reached(call: Call, app: Json, hostname: str) -> bool:
    """Return whether a certificate of another team would answer for a host, or a domain of it."""
    taken = {wildcard_of(hostname), hostname}
    if any(taken & {each, wildcard_of(each)} for each in _foreign_hosts(call, app) if "*" in each):
        return True
    return any(is_named(hostname, each.names) for each in _foreign_gateways(call, app))


async def until_served(call: Call, app: Json, hosts: Iterable[str], *, served: bool) -> None:
    """Wait, not for long, until the gateway has listeners for hosts, or has none any more."""
    wanted = set(hosts)
    if not wanted or not call.settings.gateway_address:
        return

    def settled() -> bool | None:
        there = {host for each in _gateways(call) if _is_of(each, app) for host in each.ready}
        done = wanted <= there if served else wanted.isdisjoint(there)
        return True if done else None

    if await call.context.observed.until(settled, _SECONDS):
        await asyncio.sleep(_GATEWAY_SECONDS)


def _gateways(call: Call) -> list[Gateway]:
    return [parse_gateway(each) for each in call.context.observed.all(GATEWAYS)]


def _is_of(gateway: Gateway, app: Json) -> bool:
    return bool(gateway.meta.labels.get(labels.APP_UID) == app["metadata"]["uid"])


def _foreign_gateways(call: Call, app: Json) -> list[Gateway]:
    space = app["metadata"]["namespace"]
    return [each for each in _gateways(call) if each.meta.labels.get(labels.APP_NAMESPACE) != space]


def _foreign_hosts(call: Call, app: Json) -> list[str]:
    space = app["metadata"]["namespace"]
    return [
        str(each["hostname"])
        for other in call.context.observed.all(APPS)
        if other["metadata"]["namespace"] != space
        for each in (other.get("spec") or {}).get("domains") or ()
    ]
