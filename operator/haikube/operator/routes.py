"""Which objects must be looked at again when one object changed.

A route may name too much (looking is cheap and writes nothing), never too little: what a plan
reads of another object must wake it from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from haikube.engine.store import Change, Store
from haikube.engine.worker import Key
from haikube.model import labels
from haikube.model.app import parse_app
from haikube.model.build import FINISHED
from haikube.model.release import PENDING
from haikube.model.resources import (
    APPS,
    BUILDS,
    DYNOS,
    FORMATIONS,
    HTTP_ROUTES,
    JOBS,
    OWN_KINDS,
    PODS,
    RELEASES,
    SECRETS,
    STACKS,
    Resource,
)
from haikube.plan.hosts import wanted_hosts
from haikube.settings import Settings

Object = Mapping[str, Any]
Keys = Iterable[Key]

_OWN = frozenset(each.kind for each in OWN_KINDS)


def key_of(resource: Resource, obj: Object) -> Key:
    """Return the key of an object of one of our kinds."""
    metadata = obj["metadata"]
    return Key(resource.kind, metadata.get("namespace") or "", metadata["name"])


class Routes:
    """Answers for one store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._by_kind: Mapping[str, Callable[[Change], Keys]] = {
            APPS.kind: self._app,
            BUILDS.kind: self._build,
            RELEASES.kind: self._release,
            FORMATIONS.kind: self._formation,
            STACKS.kind: self._stack,
            PODS.kind: self._pod,
            SECRETS.kind: self._secret,
            HTTP_ROUTES.kind: self._route,
        }

    def keys(self, change: Change) -> set[Key]:
        """Return every key that a change concerns."""
        found = set(self._own(change))
        more = self._by_kind.get(change.resource.kind)
        return found | set(more(change)) if more else found

    def _own(self, change: Change) -> Keys:
        if change.resource.kind in _OWN:
            yield key_of(change.resource, change.object)
        yield from _owners(change.object)

    def _app(self, change: Change) -> Keys:
        if not _declared_anew(change):
            return
        metadata = change.object["metadata"]
        for kind in (BUILDS, RELEASES, FORMATIONS, DYNOS):
            yield from self._of_app(kind, metadata["namespace"], metadata["name"])
        for version in (change.old, change.new):
            if version is not None:
                yield from self._rivals(version)
                yield Key(STACKS.kind, "", self._stack_of(version))

    def _stack_of(self, app: Object) -> str:
        return (app.get("spec") or {}).get("stack") or self._settings.default_stack

    def _rivals(self, app: Object) -> Keys:
        for host in wanted_hosts(parse_app(app), self._settings):
            for rival in self._store.find(APPS, "host", host):
                yield key_of(APPS, rival)
                metadata = rival["metadata"]
                yield from self._of_app(FORMATIONS, metadata["namespace"], metadata["name"])

    def _build(self, change: Change) -> Keys:
        """Wake the app, and the builds that may wait for this one."""
        namespace, app = _app_ref(change.object)
        yield Key(APPS.kind, namespace, app)
        for other in self._find(BUILDS, namespace, app):
            if (other.get("status") or {}).get("result") not in FINISHED:
                yield key_of(BUILDS, other)

    def _release(self, change: Change) -> Keys:
        """Wake the app, its build, the formations that follow, and the entries around it."""
        namespace, app = _app_ref(change.object)
        yield Key(APPS.kind, namespace, app)
        build = (change.object["spec"].get("buildRef") or {}).get("name")
        if build and self._store.get(BUILDS, namespace, build):
            yield Key(BUILDS.kind, namespace, build)
        yield from self._of_app(FORMATIONS, namespace, app)
        yield from self._of_app(DYNOS, namespace, app)
        for other in self._find(RELEASES, namespace, app):
            status = other.get("status") or {}
            if status.get("current") or status.get("result", PENDING) == PENDING:
                yield key_of(RELEASES, other)

    def _formation(self, change: Change) -> Keys:
        namespace, app = _app_ref(change.object)
        yield Key(APPS.kind, namespace, app)

    def _stack(self, change: Change) -> Keys:
        """Wake whatever may wait for a stack, or run on its old image."""
        if not _declared_anew(change):
            return
        for kind in (BUILDS, RELEASES, FORMATIONS, DYNOS):
            yield from (key_of(kind, each) for each in self._store.list(kind))

    def _pod(self, change: Change) -> Keys:
        metadata = change.object["metadata"]
        formation = metadata.get("labels", {}).get(labels.FORMATION)
        if formation:
            yield Key(FORMATIONS.kind, metadata["namespace"], formation)
        for owner in metadata.get("ownerReferences", ()):
            if owner["kind"] == JOBS.kind:
                job = self._store.get(JOBS, metadata["namespace"], owner["name"])
                yield from _owners(job) if job else ()

    def _secret(self, change: Change) -> Keys:
        metadata = change.object["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        yield Key(APPS.kind, namespace, metadata["labels"][labels.APP])
        if self._store.get(RELEASES, namespace, name):
            yield Key(RELEASES.kind, namespace, name)

    def _route(self, change: Change) -> Keys:
        metadata = change.object["metadata"]
        app = metadata.get("labels", {}).get(labels.APP)
        if app:
            yield Key(APPS.kind, metadata["namespace"], app)

    def _of_app(self, kind: Resource, namespace: str, app: str) -> Keys:
        return (key_of(kind, each) for each in self._find(kind, namespace, app))

    def _find(self, kind: Resource, namespace: str, app: str) -> list[Object]:
        return self._store.find(kind, "app", f"{namespace}/{app}")


def _owners(obj: Object) -> Keys:
    metadata = obj["metadata"]
    for owner in metadata.get("ownerReferences", ()):
        if owner.get("controller") and owner["kind"] in _OWN:
            yield Key(owner["kind"], metadata.get("namespace") or "", owner["name"])


def _app_ref(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace") or "", obj["spec"]["appRef"]["name"]


def _declared_anew(change: Change) -> bool:
    """Say whether an object came, went or was declared otherwise: not just a new status."""
    if change.old is None or change.new is None:
        return True
    return change.old.get("spec") != change.new.get("spec")
