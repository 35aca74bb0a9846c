"""Certificates of all apps in one pass: gather what people gave, and have the gateway serve it.

A Secret with a certificate is read once per version; what is kept of it are names and digests.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog

from haikube.cluster.errors import NotFound
from haikube.cluster.port import Cluster
from haikube.engine.commit import Committer
from haikube.engine.recent import Recent
from haikube.engine.store import Store
from haikube.engine.worker import Key
from haikube.model import labels
from haikube.model.app import App, CertificateRef
from haikube.model.certificate import (
    Certificate,
    InvalidCertificate,
    read_certificate,
    require_key,
)
from haikube.model.intents import Event
from haikube.model.meta import Meta
from haikube.model.resources import APPS, CERTIFICATES, GATEWAYS, SECRETS, Resource
from haikube.model.secret import Secret
from haikube.operator.rivals import find_asking
from haikube.plan.certificates.claims import (
    WILDCARD,
    CertificateView,
    Claim,
    Refused,
    decide_certificates,
)
from haikube.plan.certificates.serving import CHAIN, KEY, plan_certificates
from haikube.plan.context import Context
from haikube.plan.hosts import decide_hosts
from haikube.settings import Settings

KEY_OF_ALL: Final = Key("Certificates", "", "")
"""The key of all certificates together: who may have a name depends on everybody."""

_REMEMBERED: Final = 10_000

Read = Certificate | str
"""A certificate, or why there is none in a Secret."""

_log = structlog.get_logger(__name__)


class Certificates:
    """Looks at all certificates whenever one of them may have changed."""

    def __init__(
        self, store: Store, cluster: Cluster, committer: Committer, settings: Settings
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._committer = committer
        self._settings = settings
        self._read: Recent[tuple[str, str], Read] = Recent(_REMEMBERED)

    async def __call__(self, context: Context) -> None:
        """Bring the gateway's namespace to what is wanted, and tell people what is not served."""
        view = await self._view()
        decision = decide_certificates(view, self._settings)
        await self._committer.write(plan_certificates(view, decision.served, context))
        for each in decision.refused:
            await self._tell(each)

    async def _tell(self, refused: Refused) -> None:
        text = f"certificate {refused.name} is not served: {refused.reason}"
        meta = refused.app.meta
        _log.info("certificate refused", app=f"{meta.namespace}/{meta.name}", reason=text)
        obj = self._store.get(APPS, meta.namespace, meta.name)
        if obj is not None:
            event = Event("Warning", "CertificateRefused", text)
            await self._committer.tell(APPS, obj, [event])

    async def _view(self) -> CertificateView:
        apps = [
            app for app in self._store.values(APPS, "certificates", "") if not app.meta.deleting
        ]
        claims = [claim for app in apps async for claim in self._claims(app)]
        names = {name for each in claims if each.certificate for name in each.certificate.names}
        wanted = bool(self._settings.certificate_issuer)
        return CertificateView(
            claims=tuple(claims),
            automatic=tuple(each for each in apps if wanted and each.automatic_certificates),
            rivals={name: self._rivals(name) for name in names},
            live={
                GATEWAYS: self._live(each.meta for each in self._served(GATEWAYS)),
                CERTIFICATES: self._live(self._served(CERTIFICATES)),
                SECRETS: self._live(each.meta for each in self._served(SECRETS)),
            },
        )

    async def _claims(self, app: App) -> AsyncIterator[Claim]:
        asking = find_asking(self._store, app, app.domains)
        granted = set(decide_hosts(app, asking, self._settings).granted)
        for ref in app.certificates:
            if ref.domains:
                yield await self._claim(app, ref, granted)

    async def _claim(self, app: App, ref: CertificateRef, granted: set[str]) -> Claim:
        secret: Secret | None = self._store.value(SECRETS, app.meta.namespace, ref.secret)
        if secret is None or secret.meta.labels.get(labels.APP) != app.meta.name:
            problem = f"there is no Secret {ref.secret} with the label {labels.APP}"
            return Claim(app, ref.name, (), None, None, problem)
        found = await self._certificate(secret.meta)
        if isinstance(found, str):
            return Claim(app, ref.name, (), secret, None, found)
        hosts = tuple(each for each in ref.domains if each in granted and found.covers(each))
        return Claim(app, ref.name, hosts, secret, found)

    async def _certificate(self, meta: Meta) -> Read:
        version = (meta.uid, meta.resource_version)
        found = self._read.get(version)
        if found is None:
            try:
                obj = await self._cluster.get(SECRETS, meta.name, meta.namespace)
            except NotFound:
                return f"there is no Secret {meta.name}"
            found = self._read[version] = read_pair(obj.get("data") or {})
        return found

    def _rivals(self, name: str) -> tuple[App, ...]:
        """Return the apps that ask for a host that a name takes in."""
        indexes = ("host", "below") if name.startswith(WILDCARD) else ("host",)
        return tuple(app for each in indexes for app in self._store.values(APPS, each, name))

    def _served(self, resource: Resource) -> Sequence[Any]:
        return self._store.values(resource, "certificates", "")

    def _live(self, metas: Iterable[Meta]) -> tuple[Meta, ...]:
        space = self._settings.gateway_namespace
        return tuple(each for each in metas if each.namespace == space)


def read_pair(data: Mapping[str, str]) -> Read:
    """Return the certificate in the data of a Secret, or why it cannot be used."""
    try:
        chain, key = (base64.b64decode(data.get(each, "")).decode() for each in (CHAIN, KEY))
        certificate = read_certificate(chain)
        require_key(chain, key)
    except InvalidCertificate as error:
        return str(error)
    except ValueError:
        return f"{CHAIN} or {KEY} is no text"
    return certificate
