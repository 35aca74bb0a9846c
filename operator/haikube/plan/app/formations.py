"""Formations of the process types: ``web`` runs from the start, others are scaled by people.

A Formation that somebody deletes comes back as it was: a prune is no wish to be offline. One whose
quantity or size leaves its manifest keeps what runs. Both are remembered in the status of the App.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from haikube.model.formation import DEFAULT_SIZE, WEB, Formation
from haikube.model.intents import Create, Merge, Write
from haikube.model.meta import Meta
from haikube.model.names import formation_name
from haikube.model.resources import APPS, FORMATIONS
from haikube.model.source import RELEASE_PHASE
from haikube.plan.children import app_labels, child_metadata
from haikube.plan.world import AppWorld


def plan_formations(world: AppWorld) -> tuple[Write, ...]:
    """Return a formation for each process type that has none, and the quantities that lack."""
    current = world.current
    types = current.slug.process_types if current and current.slug else ()
    names = (each.name for each in types if each.name != RELEASE_PHASE)
    made = (_formation(world, each) for each in names if world.formation(each) is None)
    lacking = ((each.meta, _lacking(world, each)) for each in world.formations)
    return (*made, *(_fill(meta, spec) for meta, spec in lacking if spec and not meta.deleting))


def filled(world: AppWorld) -> tuple[Formation, ...]:
    """Return the formations as they are with what they lack filled in: dynos run on meanwhile."""
    if all(each.is_whole for each in world.formations):
        return world.formations
    return tuple(_filled(world, each) for each in world.formations)


def _filled(world: AppWorld, formation: Formation) -> Formation:
    whole = {**_remembered(world, formation.process_type), **_declared(formation)}
    return replace(formation, declared=whole["quantity"], declared_size=whole["size"])


def _declared(formation: Formation) -> dict[str, Any]:
    known = {"quantity": formation.declared, "size": formation.declared_size}
    return {key: value for key, value in known.items() if value is not None}


def _remembered(world: AppWorld, process_type: str) -> dict[str, Any]:
    """Return how many dynos a process type had, and of what size, or has by default."""
    for known in world.app.status.get("processTypes") or ():
        if known.get("name") == process_type:
            size = known.get("size") or DEFAULT_SIZE
            return {"quantity": int(known.get("quantity") or 0), "size": size}
    return {"quantity": int(process_type == WEB), "size": DEFAULT_SIZE}


def _lacking(world: AppWorld, formation: Formation) -> dict[str, Any]:
    """Return what is to be written down; the usual size goes without saying."""
    if formation.is_whole:
        return {}
    usual = {"size": DEFAULT_SIZE}.items()
    known = _declared(formation).keys()
    wanted = _remembered(world, formation.process_type).items() - usual
    return {key: value for key, value in wanted if key not in known}


def _fill(meta: Meta, spec: dict[str, Any]) -> Merge:
    return Merge(FORMATIONS, meta.namespace, meta.name, meta.uid, {"spec": spec})


def _formation(world: AppWorld, process_type: str) -> Create:
    app = world.app.meta
    name = formation_name(app.name, process_type)
    body = {
        "apiVersion": FORMATIONS.api_version,
        "kind": FORMATIONS.kind,
        "metadata": child_metadata(name, (APPS, app), app_labels(app)),
        "spec": {
            "appRef": {"name": app.name},
            "processType": process_type,
            **_remembered(world, process_type),
        },
    }
    return Create(FORMATIONS, body)
