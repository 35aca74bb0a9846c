"""Labels that somebody took off a child are put back, so that the operator sees it again.

The watches are narrowed by labels, and a child is found by them and by its owner: without, it seems
to be lost. What belongs to an object by its owner reference is that object's all the same, and so
is what has no owner any more and all labels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from haikube.model.intents import Merge, Write
from haikube.model.meta import Meta
from haikube.model.resources import APPS, BUILDS, DYNOS, FORMATIONS, JOBS, RELEASES, Resource
from haikube.plan.children import child_labels, owner_reference
from haikube.plan.world import AppWorld, Child


def plan_labels(world: AppWorld) -> tuple[Write, ...]:
    """Return the labels that hidden children lack; nothing else is known before they are back."""
    writes = []
    for child, meta in world.hidden:
        lost = _lost(world, child, meta)
        if lost:
            body = {"metadata": lost}
            writes.append(Merge(child.resource, meta.namespace, meta.name, meta.uid, body))
    return tuple(writes)


def is_hidden(world: AppWorld, child: Child, meta: Meta) -> bool:
    """Return whether what was found in place of a child is that child, and can be put right."""
    if not child.component or meta.deleting or world.found is None:
        return False
    if meta.controller:
        return meta.controller == child.owner
    wanted = child_labels(world.found.meta, child.component)
    return wanted.items() <= meta.labels.items() and _owner(world, child.owner) is not None


def _lost(world: AppWorld, child: Child, meta: Meta) -> dict[str, Any]:
    wanted = child_labels(world.app.meta, child.component)
    gone = {key: text for key, text in wanted.items() if meta.labels.get(key) != text}
    owner = None if meta.controller else _owner(world, child.owner)
    return {
        **({"labels": gone} if gone else {}),
        **({"ownerReferences": [owner_reference(*owner)]} if owner else {}),
    }


def _owner(world: AppWorld, uid: str) -> tuple[Resource, Meta] | None:
    """Return what has a uid, of all in this world that owns anything."""
    jobs = (job for group in world.jobs.values() for job in group)
    owners: tuple[tuple[Resource, Iterable[Any]], ...] = (
        (APPS, (world.app,)),
        (BUILDS, world.builds),
        (RELEASES, world.releases),
        (FORMATIONS, world.formations),
        (DYNOS, world.dynos),
        (JOBS, jobs),
    )
    found = ((kind, each.meta) for kind, group in owners for each in group if each.meta.uid == uid)
    return next(found, None)
