"""What the operator watches, what it keeps of it, and how it finds it again: data only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from haikube.cluster.port import Json
from haikube.engine.kept import Index
from haikube.engine.resync import Watched
from haikube.engine.store import Store
from haikube.model import labels
from haikube.model.app import parse_app
from haikube.model.build import FINISHED, parse_build
from haikube.model.certificate import wildcard_of
from haikube.model.deployment import parse_deployment
from haikube.model.dyno import parse_dyno
from haikube.model.formation import parse_formation
from haikube.model.gateway import parse_gateway
from haikube.model.job import parse_job
from haikube.model.meta import parse_meta
from haikube.model.node import parse_node
from haikube.model.pod import parse_pod
from haikube.model.release import parse_release
from haikube.model.resources import (
    APPS,
    BUDGETS,
    BUILDS,
    CERTIFICATES,
    DEPLOYMENTS,
    DYNOS,
    FORMATIONS,
    GATEWAYS,
    HTTP_ROUTES,
    JOBS,
    NODES,
    OWN_KINDS,
    PODS,
    RELEASES,
    SECRETS,
    SERVICES,
    STACKS,
    Resource,
)
from haikube.model.route import parse_route
from haikube.model.secret import condensed, parse_secret
from haikube.model.stack import parse_stack
from haikube.plan.certificates.serving import COMPONENT as CERTIFICATE
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
    Watched(GATEWAYS, _MANAGED),
    Watched(SECRETS, labels.APP),
    Watched(NODES),
)
"""Every kind the store is fed with, narrowed on the server."""


def watched(settings: Settings) -> tuple[Watched, ...]:
    """Return what is watched: certificates of cert-manager only where it is to be used."""
    extra = (Watched(CERTIFICATES, _MANAGED),) if settings.certificate_issuer else ()
    return (*WATCHED, *extra)


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
    spec = obj.get("spec") or {}
    return {**obj, "spec": {"nodeName": spec.get("nodeName", "")}, "status": kept}


def _node(obj: Json) -> Json:
    """Keep what ``model.node`` reads: a node's status and its marks beat like a heart."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    info = status.get("nodeInfo") or {}
    told = {
        "nodeInfo": {"kernelVersion": info.get("kernelVersion", "")},
        "runtimeHandlers": status.get("runtimeHandlers") or [],
    }
    kept = {key: spec[key] for key in ("unschedulable", "taints") if key in spec}
    names = ("name", "uid", "resourceVersion", "creationTimestamp")
    metadata = {key: obj["metadata"][key] for key in names if key in obj["metadata"]}
    return {**_metadata(obj), "metadata": metadata, "spec": kept, "status": told}


def _metadata(obj: Json) -> Json:
    return {key: obj[key] for key in ("apiVersion", "kind", "metadata") if key in obj}


def _secret(obj: Json) -> Json:
    """Keep of each value a digest: the operator tells values apart and copies them, no more."""
    data = obj.get("data") or {}
    digests = {key: condensed(text) for key, text in data.items()}
    return {**_metadata(obj), "data": digests}


PRUNED: Mapping[Resource, Callable[[Json], Json]] = {
    NODES: _node,
    PODS: _pod,
    JOBS: _without_spec,
    DEPLOYMENTS: _without_spec,
    BUDGETS: _metadata,
    SERVICES: _metadata,
    SECRETS: _secret,
}

PARSED: Mapping[Resource, Callable[[Object], Any]] = {
    APPS: parse_app,
    BUILDS: parse_build,
    RELEASES: parse_release,
    FORMATIONS: parse_formation,
    DYNOS: parse_dyno,
    STACKS: parse_stack,
    NODES: parse_node,
    PODS: parse_pod,
    JOBS: parse_job,
    DEPLOYMENTS: parse_deployment,
    BUDGETS: parse_meta,
    SERVICES: parse_meta,
    HTTP_ROUTES: parse_route,
    GATEWAYS: parse_gateway,
    CERTIFICATES: parse_meta,
    SECRETS: parse_secret,
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
        return wanted_hosts(parse_app(obj), settings)

    return index


def below(obj: Object) -> Iterable[str]:
    """Index Apps by the wildcards that take in a domain of theirs."""
    if not (obj.get("spec") or {}).get("domains"):
        return ()
    return {wildcard_of(each) for each in parse_app(obj).domains}


def by_names(obj: Object) -> Iterable[str]:
    """Index Gateways by the names of the certificates that they serve."""
    return parse_gateway(obj).names


def with_certificates(obj: Object) -> Iterable[str]:
    """Index Apps that want certificates served, and what is there for that, under one name."""
    if obj.get("kind") != APPS.kind:
        marks = obj["metadata"].get("labels") or {}
        return ("",) if marks.get(labels.COMPONENT) == CERTIFICATE else ()
    spec = obj.get("spec") or {}
    if not spec.get("certificates") and not spec.get("automaticCertificates"):
        return ()
    app = parse_app(obj)
    return ("",) if app.certificates or app.automatic_certificates else ()


def by_stack(settings: Settings) -> Index:
    """Return an index of what needs a stack."""

    def index(obj: Object) -> Iterable[str]:
        return ((obj.get("spec") or {}).get("stack") or settings.default_stack,)

    return index


def by_runs_on(obj: Object) -> Iterable[str]:
    """Index Deployments by the stack that their dynos run on."""
    stack = obj["metadata"].get("annotations", {}).get(labels.STACK)
    return (stack,) if stack else ()


def by_node(obj: Object) -> Iterable[str]:
    """Index dynos by the node that they run on."""
    marks = obj["metadata"].get("labels") or {}
    name = (obj.get("spec") or {}).get("nodeName")
    return (name,) if name and labels.FORMATION in marks else ()


def shares_users(obj: Object) -> Iterable[str]:
    """Index the nodes whose pods cannot have users of their own under one name."""
    return () if parse_node(obj).lends_users else ("",)


def unfinished(obj: Object) -> Iterable[str]:
    """Index all builds that have not ended under one name: they are one queue."""
    return () if (obj.get("status") or {}).get("result") in FINISHED else ("",)


def apps_named(store: Store) -> set[tuple[str, str]]:
    """Return namespace and name of all Apps, and of those that anything of ours refers to."""
    found = set(store.uids(APPS).values())
    for kind in OWN_KINDS:
        for place in store.places(kind, "app"):
            namespace, _, name = place.partition("/")
            found.add((namespace, name))
    return found


def new_store(settings: Settings) -> Store:
    """Return an empty store for everything that is watched."""
    return Store(
        MANAGER,
        prune=PRUNED,
        parse=PARSED,
        indexes={
            "app": (PARSED, by_app),
            "host": ((APPS,), by_host(settings)),
            "below": ((APPS,), below),
            "names": ((GATEWAYS,), by_names),
            "certificates": (PARSED, with_certificates),
            "stack": ((APPS, BUILDS, RELEASES), by_stack(settings)),
            "runs-on": ((DEPLOYMENTS,), by_runs_on),
            "unfinished": ((BUILDS,), unfinished),
            "node": ((PODS,), by_node),
            "shares-users": ((NODES,), shares_users),
        },
        parsed=(DEPLOYMENTS,),  # a stack looks at all of its dynos
    )
