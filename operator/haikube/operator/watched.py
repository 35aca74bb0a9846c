"""What the operator watches, what it keeps of it, and how it finds it again: data only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from haikube.cluster.port import Json
from haikube.engine.resync import Watched
from haikube.engine.store import Change, Index, Store, by_label
from haikube.model import labels
from haikube.model.app import parse_app
from haikube.model.resources import (
    APPS,
    BUDGETS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    JOBS,
    OWN_KINDS,
    PODS,
    SECRETS,
    SERVICES,
    Resource,
)
from haikube.plan.hosts import wanted_hosts
from haikube.settings import Settings

MANAGER = "haikube-operator"
"""Field manager of everything the operator writes."""

_MANAGED = f"{labels.MANAGED_BY}={labels.MANAGED_BY_HAIKUBE}"

WATCHED: tuple[Watched, ...] = (
    *(Watched(kind) for kind in OWN_KINDS),
    Watched(PODS, _MANAGED),
    Watched(JOBS, _MANAGED),
    Watched(DEPLOYMENTS, _MANAGED),
    Watched(BUDGETS, _MANAGED),
    Watched(SERVICES, _MANAGED),
    Watched(HTTP_ROUTES, _MANAGED),
    Watched(SECRETS, labels.APP),
)
"""Every kind the store is fed with, narrowed on the server."""

Object = Mapping[str, Any]

_POD_STATUS = frozenset({"phase", "reason", "message", "containerStatuses"})
_CONTAINER_STATUS = frozenset({"state", "lastState", "ready", "restartCount"})


def _without_spec(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key != "spec"}


def _pod(obj: Json) -> Json:
    """Keep what ``model.pod`` reads; conditions beat like a heart."""
    status = obj.get("status") or {}
    kept = {key: value for key, value in status.items() if key in _POD_STATUS}
    kept["containerStatuses"] = [
        {key: value for key, value in each.items() if key in _CONTAINER_STATUS}
        for each in status.get("containerStatuses") or ()
    ]
    scheduled = [each for each in status.get("conditions") or () if each["type"] == "PodScheduled"]
    kept["conditions"] = [
        {key: each.get(key) for key in ("type", "status", "reason", "message")}
        for each in scheduled
    ]
    return {**_without_spec(obj), "status": kept}


def _metadata(obj: Json) -> Json:
    return {key: obj[key] for key in ("apiVersion", "kind", "metadata") if key in obj}


PRUNED: Mapping[Resource, Callable[[Json], Json]] = {
    PODS: _pod,
    JOBS: _without_spec,
    DEPLOYMENTS: _without_spec,
    BUDGETS: _metadata,
    SERVICES: _metadata,
}


def by_app(obj: Object) -> Iterable[str]:
    """Index by ``<namespace>/<app>``: what an object refers to, else what its label says."""
    metadata = obj["metadata"]
    spec = obj.get("spec") or {}
    name = (spec.get("appRef") or {}).get("name") or metadata.get("labels", {}).get(labels.APP)
    return (f"{metadata.get('namespace', '')}/{name}",) if name else ()


def by_host(settings: Settings) -> Index:
    """Return an index of Apps by every hostname they ask for."""

    def index(obj: Object) -> Iterable[str]:
        return wanted_hosts(parse_app(obj), settings) if obj.get("kind") == APPS.kind else ()

    return index


def by_stack(settings: Settings) -> Index:
    """Return an index of Apps by the stack they ask for."""

    def index(obj: Object) -> Iterable[str]:
        if obj.get("kind") != APPS.kind:
            return ()
        return ((obj.get("spec") or {}).get("stack") or settings.default_stack,)

    return index


class HeardStore(Store):
    """A store that tells of every change, also of what our own writes were answered with.

    The engine keeps such answers, so the watch event that follows is no news any more; without
    this nobody would wake the keys that depend on it.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            MANAGER,
            prune=PRUNED,
            indexes={
                "app": by_app,
                "host": by_host(settings),
                "stack": by_stack(settings),
                "formation": by_label(labels.FORMATION),
                "release": by_label(labels.RELEASE),
            },
        )
        self.listener: Callable[[Change], None] | None = None

    def put(self, resource: Resource, event: Any, obj: Json) -> Change | None:  # noqa: ANN401 - as it is above
        """Take in one version of an object, and tell of it if it is news."""
        return self._tell(super().put(resource, event, obj))

    def forget(self, resource: Resource, namespace: str | None, name: str, uid: str) -> None:
        """Drop an object that a call of ours has just deleted, and tell of it."""
        known = self.get(resource, namespace, name)
        super().forget(resource, namespace, name, uid)
        if known is not None and known["metadata"]["uid"] == uid:
            self._tell(Change(resource, known, None))

    def _tell(self, change: Change | None) -> Change | None:
        if change is not None and self.listener is not None:
            self.listener(change)
        return change
