"""Labels that somebody took off a child are put back, so that the operator sees it again.

The watches are narrowed by labels, and a child is found by them: without, it seems to be lost. What
belongs to an object by its owner reference is that object's all the same.
"""

from __future__ import annotations

from haikube.model.intents import Merge, Write
from haikube.plan.children import child_labels
from haikube.plan.world import AppWorld


def plan_labels(world: AppWorld) -> tuple[Write, ...]:
    """Return the labels that hidden children lack; nothing else is known before they are back."""
    writes = []
    for child, meta in world.hidden:
        wanted = child_labels(world.app.meta, child.component)
        lost = {key: text for key, text in wanted.items() if meta.labels.get(key) != text}
        if lost:
            body = {"metadata": {"labels": lost}}
            writes.append(Merge(child.resource, meta.namespace, meta.name, meta.uid, body))
    return tuple(writes)
