"""Adoption: what a person or Git made for an app gets the app as its owner, and its labels.

So it is found by uid like everything else, and goes when the app goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from haikube.model import labels
from haikube.model.intents import Merge, Write
from haikube.model.meta import Meta
from haikube.model.resources import APPS, BUILDS, DYNOS, FORMATIONS, RELEASES, Resource
from haikube.plan.children import app_labels, owner_reference
from haikube.plan.world import AppWorld


def plan_adoption(world: AppWorld) -> tuple[Write, ...]:
    """Return owner and labels for each object of ours that lacks them."""
    app = world.app.meta
    return tuple(
        _adopt(app, resource, meta)
        for resource, meta in _of_ours(world)
        if not meta.deleting and (meta.controller != app.uid or _unlabelled(meta, app))
    )


def _of_ours(world: AppWorld) -> Iterator[tuple[Resource, Meta]]:
    for resource, objects in (
        (BUILDS, world.builds),
        (RELEASES, world.releases),
        (FORMATIONS, world.formations),
        (DYNOS, world.dynos),
    ):
        yield from ((resource, each.meta) for each in objects)


def _unlabelled(meta: Meta, app: Meta) -> bool:
    return not app_labels(app).items() <= meta.labels.items()


def _adopt(app: Meta, resource: Resource, meta: Meta) -> Merge:
    wanted = {
        "labels": app_labels(app),
        "ownerReferences": [owner_reference(APPS, app)],
    }
    return Merge(resource, meta.namespace, meta.name, meta.uid, {"metadata": wanted})


def is_own(meta: Meta, app: Meta) -> bool:
    """Return whether an object that names an app is of this one, or of nobody yet."""
    return meta.controller == app.uid or (not meta.controller and _of_no_other(meta, app))


def _of_no_other(meta: Meta, app: Meta) -> bool:
    return meta.labels.get(labels.APP_UID, app.uid) == app.uid
