"""Which App is this? What a change of one object is to be looked at for.

Every object of ours and every child says by name which App it is of; the App's pass does the rest.
Beside that there are only the stacks, the queue of builds, and apps that ask for the same host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from haikube.engine.change import Change
from haikube.engine.store import Store
from haikube.engine.worker import Key
from haikube.model import labels
from haikube.model.app import parse_app
from haikube.model.build import FINISHED
from haikube.model.gateway import parse_gateway
from haikube.model.resources import (
    APPS,
    BUILDS,
    CERTIFICATES,
    DEPLOYMENTS,
    GATEWAYS,
    NODES,
    OWN_KINDS,
    PODS,
    RELEASES,
    SECRETS,
    STACKS,
    Resource,
)
from haikube.operator.certificates import KEY_OF_ALL
from haikube.operator.reconcile import QUEUE
from haikube.operator.watched import with_certificates
from haikube.plan.certificates.serving import CHAIN
from haikube.plan.certificates.serving import COMPONENT as CERTIFICATE
from haikube.plan.hosts import wanted_hosts
from haikube.settings import Settings

Object = Mapping[str, Any]
Keys = Iterable[Key]


def app_key(resource: Resource, obj: Object) -> Key | None:
    """Return the key of the App that an object is of, or says to be of."""
    metadata = obj["metadata"]
    if (metadata.get("labels") or {}).get(labels.COMPONENT) == CERTIFICATE:
        return None
    if resource == APPS:
        name = metadata["name"]
    else:
        ref = (obj.get("spec") or {}).get("appRef") or {}
        name = ref.get("name") or (metadata.get("labels") or {}).get(labels.APP)
    return Key(APPS.kind, metadata.get("namespace") or "", name) if name else None


def by_person(change: Change) -> bool:
    """Return whether somebody wants something: such a change goes before what is reported."""
    if change.old is None or change.new is None:
        return change.resource in OWN_KINDS
    if change.resource == SECRETS:
        return change.old.get("data") != change.new.get("data")
    return change.resource in OWN_KINDS and _declared(change.old) != _declared(change.new)


class Routes:
    """Answers for one store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._by_kind: Mapping[Resource, Callable[[Change], Iterable[Key]]] = {
            STACKS: self._of_stack,
            NODES: self._of_node,
            DEPLOYMENTS: _runs_on,
            BUILDS: _queue,
            APPS: self._of_app,
            GATEWAYS: self._of_certificate,
            CERTIFICATES: self._of_certificate,
            SECRETS: self._of_certificate,
        }

    def own(self, change: Change) -> set[Key]:
        """Return the App that the object is of: two, when it has gone from one to another."""
        versions = (each for each in (change.old, change.new) if each is not None)
        found = (app_key(change.resource, each) for each in versions)
        return {key for key in found if key is not None}

    def others(self, change: Change) -> set[Key]:
        """Return what else may be concerned."""
        found = self._by_kind.get(change.resource)
        return set(found(change)) if found else set()

    def _of_stack(self, change: Change) -> Iterator[Key]:
        yield Key(STACKS.kind, "", change.object["metadata"]["name"])
        if not _declared_anew(change):
            return
        yield QUEUE
        for resource in (APPS, BUILDS, RELEASES):
            for each in self._store.find(resource, "stack", change.object["metadata"]["name"]):
                key = app_key(resource, each)
                if key is not None:
                    yield key

    def _of_node(self, change: Change) -> Iterator[Key]:
        """Yield the apps with dynos on a node, when it is to be left or may be used again."""
        if not _declared_anew(change):
            return
        for dyno in self._store.find(PODS, "node", change.object["metadata"]["name"]):
            key = app_key(PODS, dyno)
            if key is not None:
                yield key

    def _of_app(self, change: Change) -> Iterator[Key]:
        if _declared_anew(change) or _refresh(change.old) != _refresh(change.new):
            yield from self._certificates(change)
        if not _declared_anew(change):
            return
        for version in (change.old, change.new):
            if version is not None:
                spec = version.get("spec") or {}
                yield Key(STACKS.kind, "", spec.get("stack") or self._settings.default_stack)
                yield from self._rivals(version)

    def _certificates(self, change: Change) -> set[Key]:
        """Return the key of all certificates, where an app may matter to one."""
        versions = (each for each in (change.old, change.new) if each is not None)
        known = self._store.number(APPS, "certificates", "")
        wanted = known or any(tuple(with_certificates(each)) for each in versions)
        return {KEY_OF_ALL} if wanted else set()

    def _of_certificate(self, change: Change) -> Iterator[Key]:
        """Yield the key of all, and apps with a host that a certificate, served or gone, names."""
        if not _is_certificate(change):
            return
        yield KEY_OF_ALL
        if change.resource != GATEWAYS:
            return
        versions = (each for each in (change.old, change.new) if each is not None)
        for name in {name for each in versions for name in parse_gateway(each).names}:
            for index in ("host", "below"):
                for app in self._store.find(APPS, index, name):
                    if (key := app_key(APPS, app)) is not None:
                        yield key

    def _rivals(self, app: Object) -> Iterator[Key]:
        for host in wanted_hosts(parse_app(app), self._settings):
            for rival in self._store.find(APPS, "host", host):
                key = app_key(APPS, rival)
                if key is not None:
                    yield key


def _is_certificate(change: Change) -> bool:
    """Return whether a Secret holds one, or an object is there for one."""
    obj = change.object
    marks = obj["metadata"].get("labels") or {}
    return marks.get(labels.COMPONENT) == CERTIFICATE or CHAIN in (obj.get("data") or {})


def _runs_on(change: Change) -> Iterator[Key]:
    """Yield the stack whose new image others wait for, when one that moved may be done."""
    stack = (change.object["metadata"].get("annotations") or {}).get(labels.STACK)
    if stack:
        yield Key(STACKS.kind, "", stack)


def _queue(change: Change) -> Iterable[Key]:
    return (QUEUE,) if _moves_the_queue(change) else ()


def _moves_the_queue(change: Change) -> bool:
    """Return whether a build came, began, ended or went."""
    return _waits(change.old) != _waits(change.new) or change.old is None or change.new is None


def _waits(build: Object | None) -> bool:
    return build is not None and (build.get("status") or {}).get("result") not in FINISHED


def _declared(obj: Object) -> tuple[Any, ...]:
    return obj.get("spec"), obj["metadata"].get("annotations")


def _refresh(app: Object | None) -> str:
    """Return the wish for new certificates that an App carries."""
    notes = (app or {}).get("metadata", {}).get("annotations") or {}
    return str(notes.get(labels.CERTIFICATES_REFRESHED, ""))


def _declared_anew(change: Change) -> bool:
    """Say whether an object came, went or was declared otherwise: not just a new status."""
    if change.old is None or change.new is None:
        return True
    was, now = change.old["metadata"]["uid"], change.new["metadata"]["uid"]
    return was != now or change.old.get("spec") != change.new.get("spec")
