"""Labels and owners that somebody took off a child are put back, so that it is seen again.

The watches are narrowed by labels, and a child is found by them and by its owner: without, it seems
to be lost. What belongs to an object by its owner reference is that object's all the same, and what
bears its labels and a name that only its children have would outlive it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from haikube.model import labels
from haikube.model.intents import Merge, Write
from haikube.model.meta import Meta
from haikube.model.resources import BUILDS, DYNOS, PODS, RELEASES, Resource
from haikube.plan.children import child_labels, label_value, owner_reference
from haikube.plan.world import AppWorld

Owner = tuple[Resource, Meta]


def plan_lost_marks(world: AppWorld) -> tuple[Write, ...]:
    """Return what hidden children lack; nothing else is known before it is back."""
    return (*_labelled_again(world), *_owned_again(world))


def _labelled_again(world: AppWorld) -> Iterator[Merge]:
    for child, meta in world.hidden:
        wanted = child_labels(world.app.meta, child.component)
        lost = {key: text for key, text in wanted.items() if meta.labels.get(key) != text}
        if lost:
            body = {"metadata": {"labels": lost}}
            yield Merge(child.resource, meta.namespace, meta.name, meta.uid, body)


def _owned_again(world: AppWorld) -> Iterator[Merge]:
    for resource, meta in world.loose:
        if (owner := _owner(world, resource, meta)) and not meta.deleting:
            body = {"metadata": {"ownerReferences": [owner_reference(*owner)]}}
            yield Merge(resource, meta.namespace, meta.name, meta.uid, body)


def _owner(world: AppWorld, resource: Resource, child: Meta) -> Owner | None:
    """Return whose child something is that no owner is named of, by its labels and its name."""
    for owner in _owners(world, resource, child):
        name = owner[1].name
        if child.name == name or child.name.startswith(f"{name}-"):
            return owner
    return None


def _owners(world: AppWorld, resource: Resource, child: Meta) -> Iterable[Owner]:
    if resource == PODS:
        return ((DYNOS, each.meta) for each in world.dynos if each.meta.name == child.name)
    build, release = (child.labels.get(key) for key in (labels.BUILD, labels.RELEASE))
    if build:
        return ((BUILDS, each.meta) for each in world.builds if _label(each.meta) == build)
    return ((RELEASES, each.meta) for each in world.releases if _label(each.meta) == release)


def _label(meta: Meta) -> str:
    return label_value(meta.name)
