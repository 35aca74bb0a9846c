"""Adoption: what a person or Git made for an app gets the app as its owner, and its labels.

So it is found by uid like everything else, and goes when the app goes.
"""

from __future__ import annotations

from collections.abc import Iterator

from haikube.model import labels
from haikube.model.conditions import Verdict
from haikube.model.intents import Merge, Write
from haikube.model.meta import Meta
from haikube.model.release import Release
from haikube.model.resources import APPS, BUILDS, DYNOS, FORMATIONS, RELEASES, Resource
from haikube.plan.children import app_labels, owner_reference
from haikube.plan.release.request import grant
from haikube.plan.world import AppWorld


def plan_adoption(world: AppWorld) -> tuple[Write, ...]:
    """Return owner and labels for each object of ours that lacks them."""
    app = world.app.meta
    marked = (
        _adopt(app, resource, meta)
        for resource, meta in _of_ours(world)
        if not meta.deleting and (meta.controller != app.uid or _unlabelled(meta, app))
    )
    return (*marked, *(_own(app, each.meta) for each in _refused(world) if _is_loose(each.meta)))


def _refused(world: AppWorld) -> Iterator[Release]:
    """Yield what is no entry of the ledger and stays: its labels must not make it one."""
    yield from world.strays
    for request in world.requests:
        if isinstance(grant(world, request), Verdict):
            yield request


def _is_loose(meta: Meta) -> bool:
    return not meta.controller and not meta.deleting


def _own(app: Meta, meta: Meta) -> Merge:
    owner = {"ownerReferences": [owner_reference(APPS, app)]}
    return Merge(RELEASES, meta.namespace, meta.name, meta.uid, {"metadata": owner})


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
        "annotations": {labels.ADOPTED: "true"},
        "ownerReferences": [owner_reference(APPS, app)],
    }
    return Merge(resource, meta.namespace, meta.name, meta.uid, {"metadata": wanted})


def is_own(meta: Meta, app: Meta) -> bool:
    """Return whether an object that names an app is of this one, or of nobody yet."""
    return meta.controller == app.uid or (not meta.controller and _of_no_other(meta, app))


def outlives(meta: Meta) -> bool:
    """Return whether an object was made by somebody who still wants it when its app is new.

    The garbage collector lets go of it once it has the new app as its owner.
    """
    return labels.ADOPTED in meta.annotations and not meta.deleting


def _of_no_other(meta: Meta, app: Meta) -> bool:
    return meta.labels.get(labels.APP_UID, app.uid) == app.uid
