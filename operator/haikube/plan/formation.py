"""Formation: the dynos of one process type as a Deployment, and for ``web`` a way to reach them.

The Deployment follows the current release. It is made when the quantity is first above zero, and
removed when the release no longer has the process type. Where nobody could answer
(maintenance, no dynos, all crashed) there is no route: see ``closed``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from haikube.model import labels, names
from haikube.model.app import App
from haikube.model.formation import Formation
from haikube.model.intents import Apply, Plan, Write
from haikube.model.resources import (
    BUDGETS,
    DEPLOYMENTS,
    FORMATIONS,
    GATEWAYS,
    HTTP_ROUTES,
    SERVICES,
)
from haikube.model.route import RELEASE_HEADER, VIA
from haikube.plan import handover
from haikube.plan.certificates.serving import gateways_of
from haikube.plan.children import DYNO, child_labels, child_metadata, delete, label_value
from haikube.plan.closed import why_closed
from haikube.plan.context import Context
from haikube.plan.diagnosis import diagnose
from haikube.plan.dynos import DynoPod
from haikube.plan.formationstatus import all_up
from haikube.plan.formationview import FormationView
from haikube.plan.hosts import decide_hosts
from haikube.plan.ordinals import name_dynos
from haikube.settings import Settings

_SEVERAL = 2
HOSTS_PER_ROUTE = 16
"""As many as the Gateway API allows."""


def plan_formation(view: FormationView, context: Context) -> Plan:
    """Return what should exist for a formation."""
    formation = view.formation
    if formation.meta.deleting:
        return Plan()
    gone = view.release is not None and view.command is None
    if view.app is None or gone or view.misnamed:
        writes = _remove(view)
    else:
        writes = (*_dynos(view, view.app, context), *_reach(view, view.app, context))
    named = name_dynos(formation.process_type, view.pods)
    return Plan((*named, *writes), requeue_after=handover.look_again(view, context))


# What should exist


def _remove(view: FormationView) -> tuple[Write, ...]:
    children = (
        (DEPLOYMENTS, view.deployment.meta if view.deployment else None),
        (BUDGETS, view.budget),
        (SERVICES, view.service),
        *((HTTP_ROUTES, each.meta) for each in view.routes),
    )
    return tuple(delete(kind, meta) for kind, meta in children if meta and not meta.deleting)


def _dynos(view: FormationView, app: App, context: Context) -> tuple[Write, ...]:
    if view.dyno is None or (view.deployment is None and view.formation.quantity == 0):
        return ()
    body = context.render("deployment", _deployment(view, app, view.dyno, context))
    revision = _revision(view, view.dyno, context)
    return (Apply(DEPLOYMENTS, body, revision), *_budget(view, app, context))


def _revision(view: FormationView, dyno: DynoPod, context: Context) -> str:
    """Return a digest of what a dyno is made of: only when that changes are dynos replaced.

    How it is written down is not part of it, so a newer operator restarts none.
    """
    settings, moved = context.settings, handover.mark(view, context)
    parts = {
        "app": [dyno.app.meta.name, dyno.app.meta.uid],
        "release": [dyno.release.meta.name, dyno.release.meta.uid],
        "image": [dyno.stack.run_image, dyno.stack.alias, settings.image_pull_policy],
        "command": [dyno.process_type, dyno.command],
        "size": [dyno.size.resources, dict(dyno.size.node_selector)],
        "times": [dyno.boot_timeout(settings), dyno.grace(settings), settings.drain_seconds],
        "port": settings.dyno_port,
        "restart": view.restarted_at,
        **({"moved": moved} if moved else {}),
    }
    text = json.dumps(parts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _budget(view: FormationView, app: App, context: Context) -> tuple[Write, ...]:
    """Return the budget by which a drain takes one dyno of several, and waits for a lone one."""
    waits = handover.held(view, context)
    if view.formation.quantity < _SEVERAL and not handover.hands_over(view, context):
        lost = view.budget if view.budget and not view.budget.deleting else None
        return (delete(BUDGETS, lost),) if lost else ()
    marks = {**child_labels(app.meta, DYNO), **_type_label(view.formation)}
    meta = view.formation.meta
    values = {
        "metadata": child_metadata(meta.name, (FORMATIONS, meta), marks),
        "selector": view.selector,
        "max_unavailable": 0 if waits else 1,
    }
    return (Apply(BUDGETS, context.render("disruption-budget", values)),)


def _deployment(
    view: FormationView, app: App, dyno: DynoPod, context: Context
) -> Mapping[str, Any]:
    formation, settings = view.formation, context.settings
    chosen = view.selector
    release = {labels.RELEASE: view.release_label}
    marks = {**child_labels(app.meta, DYNO), **chosen, **_type_label(formation), **release}
    runs_on = {labels.IMAGE: dyno.stack.run_image, labels.STACK: dyno.stack.meta.name}
    moved = handover.mark(view, context)
    rolled = {labels.RESTARTED_AT: view.restarted_at, labels.MOVED_AT: moved}
    notes = {key: text for key, text in rolled.items() if text}
    if handover.hands_over(view, context):
        notes[labels.SAFE_TO_EVICT] = "true"
    if moved:
        runs_on[labels.MOVED_AT] = moved
    if app.rollout.in_place and view.deployment and view.deployment.refusal:
        runs_on[labels.TRIED_BESIDE] = _there(view)
    owner = (FORMATIONS, formation.meta)
    return {
        "metadata": child_metadata(formation.meta.name, owner, marks, runs_on),
        "replicas": formation.quantity,
        "progress_deadline": dyno.boot_limit(settings) + settings.build_overhead,
        "min_ready": 0 if formation.is_web else settings.worker_ready_seconds,
        "strategy": _strategy(app, settings),
        "selector": chosen,
        "pod_metadata": {"labels": marks, **({"annotations": notes} if notes else {})},
        "pod": dyno.render(context),
    }


def _there(view: FormationView) -> str:
    """Return a digest of the dynos that are there.

    Kubernetes waits ever longer before it tries again to make a pod that a quota refused, up to a
    quarter of an hour. An annotation that changes when a dyno is gone has it try at once.
    """
    there = sorted(pod.meta.name for pod in view.pods)
    return hashlib.sha256("\n".join(there).encode()).hexdigest()[:12]


def _type_label(formation: Formation) -> dict[str, str]:
    return {labels.PROCESS_TYPE: label_value(formation.process_type)}


def _strategy(app: App, settings: Settings) -> Mapping[str, Any]:
    """Return how dynos give way to new ones: after they serve, one by one, or before they start."""
    if app.rollout.in_place:
        return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    if not app.rollout.surges:
        return {"type": "Recreate"}
    declared = app.rollout.max_surge
    surge = _int_or_string(settings.max_surge if declared is None else declared)
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": surge}}


def _int_or_string(value: str | int) -> str | int:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _reach(view: FormationView, app: App, context: Context) -> tuple[Write, ...]:
    """Return the Service of the web formation, and its routes once there is something to reach.

    The Service names nothing of a release, so it is there before the first one.
    """
    formation = view.formation
    if not formation.is_web:
        return ()
    owner = (FORMATIONS, formation.meta)
    marks = {**child_labels(app.meta, "web"), **_type_label(formation)}
    metadata = child_metadata(formation.meta.name, owner, marks)
    service = context.render("service", {"metadata": metadata, "selector": view.selector})
    routes = () if view.release is None else _routes(view, app, metadata, context)
    return (Apply(SERVICES, service), *routes)


def _parents(app: App, hosts: Iterable[str], settings: Settings) -> list[dict[str, str]]:
    """Return the Gateways that a route belongs to: the platform's, and those of certificates."""
    place = {"namespace": settings.gateway_namespace}
    kind = {"group": GATEWAYS.group, "kind": GATEWAYS.kind}
    gateways = (settings.gateway_name, *gateways_of(app, hosts, settings))
    return [{**kind, "name": each, **place} for each in gateways]


def _routes(
    view: FormationView, app: App, metadata: Mapping[str, Any], context: Context
) -> tuple[Write, ...]:
    """Return as many routes as the hosts of the app need, and the end of those of no use."""
    settings, name = context.settings, view.formation.meta.name
    granted = () if _is_closed(view, app) else decide_hosts(app, view.rivals, settings).granted
    parts = [granted[at : at + HOSTS_PER_ROUTE] for at in range(0, len(granted), HOSTS_PER_ROUTE)]
    named = {names.route_name(name, number): part for number, part in enumerate(parts)}
    serving = _serving(view)
    marks = {"annotations": {labels.SERVING: serving}} if serving else {}
    values = {
        "release_header": RELEASE_HEADER,
        "via": VIA,
        "serving": serving,
        "sticky": app.session_affinity and settings.session_affinity,
        "service": name,
    }
    wanted = (
        {
            **values,
            "metadata": {**metadata, "name": route, **marks},
            "hostnames": list(hosts),
            "parents": _parents(app, hosts, settings),
        }
        for route, hosts in named.items()
    )
    lost = (each.meta for each in view.routes if each.meta.name not in named)
    return (
        *(Apply(HTTP_ROUTES, context.render("httproute", each)) for each in wanted),
        *(delete(HTTP_ROUTES, meta) for meta in lost if not meta.deleting),
    )


def _is_closed(view: FormationView, app: App) -> bool:
    ailing = diagnose(view.pods)
    up = view.deployment.ready if view.deployment else 0
    reason = ailing.reason if ailing else ""
    return bool(why_closed(app, view.formation, ready=up, reason=reason))


def _serving(view: FormationView) -> str:
    """Return the release that answers: the new one once the last dyno of another has left."""
    if view.release is not None and all_up(view):
        return f"v{view.release.version}"
    marks = (each.meta.annotations.get(labels.SERVING) for each in view.routes)
    return next((mark for mark in marks if mark), "")
