"""App: its config Secret, the Build it declares, the next Release, its Formations and history."""

from __future__ import annotations

from haikube.model.formation import WEB
from haikube.model.intents import Create, Plan, Write
from haikube.model.names import formation_name
from haikube.model.release import SUCCEEDED, Release
from haikube.model.resources import APPS, FORMATIONS, SECRETS
from haikube.model.source import RELEASE_PHASE
from haikube.plan.appstatus import app_status
from haikube.plan.appview import AppView
from haikube.plan.children import app_labels, child_labels, child_metadata
from haikube.plan.context import Context
from haikube.plan.declared import declared_build, declared_build_name
from haikube.plan.history import forget
from haikube.plan.ledger import next_release, write_release

CONFIG_RETRY = 30.0
"""How often to look for a config Secret that the operator's watch does not see."""


def plan_app(view: AppView, context: Context) -> Plan:
    """Return what should exist for an app and what its status says."""
    if view.app.meta.deleting:
        return Plan()
    following = next_release(view)
    made = write_release(view, following) if following else ()
    writes = (
        *_config(view),
        *_declared(view, context),
        *made,
        *_formations(view),
        *forget(view, context, releasing=bool(made)),
    )
    return Plan(
        writes=writes,
        status=app_status(view, context),
        requeue_after=CONFIG_RETRY if view.config is None and not _may_make_config(view) else None,
    )


def _may_make_config(view: AppView) -> bool:
    """Say whether an empty config may be made: never over one that got lost after a release."""
    return view.config is None and not view.hidden_config and not view.releases


def _config(view: AppView) -> tuple[Write, ...]:
    if not _may_make_config(view):
        return ()
    app = view.app.meta
    metadata = child_metadata(view.app.config, (APPS, app), child_labels(app, "config"))
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
    return (Create(SECRETS, body),)


def _declared(view: AppView, context: Context) -> tuple[Write, ...]:
    wanted = declared_build(view.app, context.settings.default_stack)
    if wanted is None or view.build(declared_build_name(view.app)) is not None:
        return ()
    return (wanted,)


def _formations(view: AppView) -> tuple[Write, ...]:
    """Return a formation for each process type that has none: ``web`` runs from the start."""
    current = view.current
    if current is None or current.slug is None:
        return ()
    types = (each.name for each in current.slug.process_types if each.name != RELEASE_PHASE)
    return tuple(
        _formation(view, each, quantity=int(each == WEB and _is_first(current, view)))
        for each in types
        if view.formation(each) is None
    )


def _is_first(current: Release, view: AppView) -> bool:
    earlier = (each for each in view.releases if each.version < current.version)
    return not any(each.result == SUCCEEDED for each in earlier)


def _formation(view: AppView, process_type: str, *, quantity: int) -> Create:
    app = view.app.meta
    name = formation_name(app.name, process_type)
    body = {
        "apiVersion": FORMATIONS.api_version,
        "kind": FORMATIONS.kind,
        "metadata": child_metadata(name, (APPS, app), app_labels(app)),
        "spec": {
            "appRef": {"name": app.name},
            "processType": process_type,
            "quantity": quantity,
        },
    }
    return Create(FORMATIONS, body)
