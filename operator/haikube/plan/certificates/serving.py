"""What lies in the gateway's namespace for certificates of apps.

What is served is copied, for the gateway reads no Secret of a team, and each host gets a listener
that only routes of its team can be at. All of it is level-triggered: what is not wanted is deleted.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from haikube.model import labels
from haikube.model.app import App
from haikube.model.gateway import note_of
from haikube.model.intents import Apply, Copy, Create, Write
from haikube.model.names import certificates_name
from haikube.model.resources import CERTIFICATES, GATEWAYS, HTTP_ROUTES, SECRETS
from haikube.plan.certificates.claims import WILDCARD, CertificateView, Claim
from haikube.plan.children import delete
from haikube.plan.context import Context
from haikube.plan.hosts import is_entitled
from haikube.settings import Settings

COMPONENT: Final = "certificate"
CHAIN: Final = "tls.crt"
KEY: Final = "tls.key"
_AUTOMATIC: Final = "auto"
LISTENERS_PER_GATEWAY: Final = 64
"""As many as the Gateway API allows."""


@dataclass(frozen=True, slots=True)
class _Listener:
    host: str
    secret: str


def plan_certificates(
    view: CertificateView, served: Sequence[Claim], context: Context
) -> tuple[Write, ...]:
    """Return the writes that bring the gateway's namespace to what is to be served."""
    wanted: list[Apply | Create] = [
        *(_copy(each, context.settings) for each in served),
        *_automatic(view.automatic, context),
        *_gateways(served, view.automatic, context),
    ]
    named = {(each.resource, each.body["metadata"]["name"]) for each in wanted}
    named |= {
        (SECRETS, each.body["spec"]["secretName"])
        for each in wanted
        if each.resource == CERTIFICATES
    }
    lost = [
        (resource, meta)
        for resource in (GATEWAYS, CERTIFICATES, SECRETS)
        for meta in view.live.get(resource, ())
        if (resource, meta.name) not in named
    ]
    taken = {meta.labels.get(labels.APP_UID) for kind, meta in lost if kind == CERTIFICATES}
    return (
        *(each for each in wanted if not _waits(each, taken)),
        *(delete(resource, meta) for resource, meta in lost if not meta.deleting),
    )


def _waits(wanted: Apply | Create, taken: Container[str | None]) -> bool:
    """Return whether another Certificate has the Secret still.

    Of two that name one Secret cert-manager leaves the later alone, and looks again after minutes.
    """
    marks = wanted.body["metadata"]["labels"]
    return wanted.resource == CERTIFICATES and marks[labels.APP_UID] in taken


def _copy(claim: Claim, settings: Settings) -> Create:
    assert claim.secret is not None  # noqa: S101 - what cannot be read is not served
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(claim.app, _copy_name(claim), settings),
        "type": "kubernetes.io/tls",
        "immutable": True,
    }
    return Create(SECRETS, body, copied=Copy(claim.secret.meta, (CHAIN, KEY)))


def _copy_name(claim: Claim) -> str:
    """Return a name that changes with what the certificate is."""
    assert claim.secret is not None  # noqa: S101 - what cannot be read is not served
    parts = [claim.secret.meta.uid, *(claim.secret.data.get(key, "") for key in (CHAIN, KEY))]
    digest = hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()
    return certificates_name(claim.app.meta.uid, digest)


def _metadata(app: App, name: str, settings: Settings, **marks: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": name,
        "namespace": settings.gateway_namespace,
        "labels": {
            labels.MANAGED_BY: labels.MANAGED_BY_HAIKUBE,
            labels.APP: app.meta.name,
            labels.APP_NAMESPACE: app.meta.namespace,
            labels.APP_UID: app.meta.uid,
            labels.COMPONENT: COMPONENT,
        },
    }
    return {**made, "annotations": marks} if marks else made


def automatic_hosts(app: App, settings: Settings) -> tuple[str, ...]:
    """Return the domains of an app that get certificates by themselves; wildcards cannot."""
    chosen = {host for each in app.certificates for host in each.domains}
    return tuple(
        host
        for host in app.domains
        if host not in chosen and not host.startswith(WILDCARD) and is_entitled(host, app, settings)
    )


def automatic_name(app: App) -> str:
    """Return the name of the Certificate of an app: another one makes cert-manager begin anew."""
    mark = app.meta.annotations.get(labels.CERTIFICATES_REFRESHED, "")
    digest = hashlib.blake2b(mark.encode(), digest_size=4).hexdigest()
    return certificates_name(app.meta.uid, f"{_AUTOMATIC}-{digest}" if mark else _AUTOMATIC)


def _automatic_secret(app: App) -> str:
    return certificates_name(app.meta.uid, _AUTOMATIC)


def _automatic(apps: Iterable[App], context: Context) -> Iterator[Apply]:
    for app in apps:
        hosts = automatic_hosts(app, context.settings)
        if hosts:
            metadata = _metadata(app, automatic_name(app), context.settings)
            values = {
                "metadata": metadata,
                "labels": metadata["labels"],
                "hosts": list(hosts),
                "secret": _automatic_secret(app),
                "issuer": context.settings.certificate_issuer,
            }
            yield Apply(CERTIFICATES, context.render("certificate", values))


def _gateways(
    served: Iterable[Claim], automatic: Iterable[App], context: Context
) -> Iterator[Apply]:
    settings = context.settings
    apps: dict[str, App] = {}
    listeners: defaultdict[str, list[_Listener]] = defaultdict(list)
    notes: defaultdict[str, list[str]] = defaultdict(list)
    for claim in served:
        uid = claim.app.meta.uid
        apps[uid] = claim.app
        listeners[uid] += [_Listener(host, _copy_name(claim)) for host in claim.hosts]
        if claim.certificate is not None:
            notes[uid].append(note_of(claim.certificate))
    for app in automatic:
        hosts = automatic_hosts(app, settings)
        apps[app.meta.uid] = app
        listeners[app.meta.uid] += [_Listener(each, _automatic_secret(app)) for each in hosts]
    for uid, app in apps.items():
        for number, part in enumerate(_parts(listeners[uid])):
            metadata = _metadata(
                app,
                certificates_name(uid, number),
                settings,
                **({labels.CERTIFICATE: " ".join(notes[uid])} if notes[uid] else {}),
            )
            values = _gateway(app, metadata, part, settings)
            yield Apply(GATEWAYS, context.render("certificate-gateway", values))


def gateways_of(app: App, hosts: Iterable[str], settings: Settings) -> tuple[str, ...]:
    """Return the Gateways for certificates that a route to these hosts belongs to.

    One that is not there, since its certificate is not served, does no harm to the route.
    """
    wanted = {host for each in app.certificates for host in each.domains}
    if app.automatic_certificates and settings.certificate_issuer:
        wanted |= set(automatic_hosts(app, settings))
    if wanted.isdisjoint(hosts):
        return ()
    parts = range(-(-len(wanted) // LISTENERS_PER_GATEWAY))
    return tuple(certificates_name(app.meta.uid, number) for number in parts)


def _gateway(
    app: App, metadata: Mapping[str, Any], listeners: Iterable[_Listener], settings: Settings
) -> dict[str, Any]:
    return {
        "metadata": metadata,
        "gateway_class": settings.gateway_class,
        "listeners": [_listener(app, each, settings) for each in listeners],
    }


def _listener(app: App, wanted: _Listener, settings: Settings) -> dict[str, Any]:
    """Return a listener of one host; only routes of the app's namespace can be at it."""
    team = {"matchLabels": {"kubernetes.io/metadata.name": app.meta.namespace}}
    secret = {"group": "", "kind": "Secret", "name": wanted.secret}
    return {
        "name": _listener_name(wanted.host),
        "hostname": wanted.host,
        "port": settings.gateway_tls_port,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [secret]},
        "allowedRoutes": {
            "kinds": [{"group": HTTP_ROUTES.group, "kind": HTTP_ROUTES.kind}],
            "namespaces": {"from": "Selector", "selector": team},
        },
    }


def _listener_name(host: str) -> str:
    return f"h-{hashlib.blake2b(host.encode(), digest_size=8).hexdigest()}"


def _parts(listeners: list[_Listener]) -> Iterator[list[_Listener]]:
    ordered = sorted(listeners, key=lambda each: each.host)
    for at in range(0, len(ordered), LISTENERS_PER_GATEWAY):
        yield ordered[at : at + LISTENERS_PER_GATEWAY]
