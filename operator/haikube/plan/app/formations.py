"""Formations of the process types: ``web`` runs from the start, others are scaled by people.

A Formation that somebody deletes comes back as it was: a prune is no wish to be offline. One whose
quantity leaves its manifest keeps what runs. Both are remembered in the status of the App.
"""

from __future__ import annotations

from typing import Any

from haikube.model.formation import WEB, Formation
from haikube.model.intents import Create, Merge, Write
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
    lacking = (each for each in world.formations if each.declared is None)
    return (*made, *(_quantity(world, each) for each in lacking if not each.meta.deleting))


def remembered(world: AppWorld, process_type: str) -> dict[str, Any]:
    """Return how many dynos a process type had, and of what size, or has by default."""
    for known in world.app.status.get("processTypes") or ():
        if known.get("name") == process_type:
            size = {"size": known["size"]} if known.get("size") else {}
            return {"quantity": int(known.get("quantity") or 0), **size}
    return {"quantity": int(process_type == WEB)}


def _quantity(world: AppWorld, formation: Formation) -> Merge:
    meta, known = formation.meta, remembered(world, formation.process_type)
    body = {"spec": {"quantity": known["quantity"]}}
    return Merge(FORMATIONS, meta.namespace, meta.name, meta.uid, body)


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
            **remembered(world, process_type),
        },
    }
    return Create(FORMATIONS, body)
