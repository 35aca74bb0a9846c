"""Names of dynos: ``web.1``, ``web.2`` …, the lowest that is free within one ReplicaSet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from haikube.model import labels
from haikube.model.intents import Annotate
from haikube.model.pod import Pod
from haikube.model.resources import PODS


def name_dynos(process_type: str, pods: Iterable[Pod]) -> tuple[Annotate, ...]:
    """Return a name for every live dyno that has none.

    During a rollout the old and the new dyno may both be ``web.1``, as on Heroku. A dyno that is
    being stopped gives its number free at once, so its replacement gets the same.
    """
    groups: dict[str, list[Pod]] = defaultdict(list)
    for pod in pods:
        if not pod.over:
            groups[pod.meta.labels.get(labels.TEMPLATE_HASH, "")].append(pod)
    return tuple(
        name for _, group in sorted(groups.items()) for name in _named(process_type, group)
    )


def _named(process_type: str, group: list[Pod]) -> Iterable[Annotate]:
    taken = {pod.dyno for pod in group if pod.dyno}
    number = 0
    for pod in sorted(group, key=lambda each: each.meta.age_key):
        if pod.dyno:
            continue
        number += 1
        while f"{process_type}.{number}" in taken:
            number += 1
        meta, name = pod.meta, f"{process_type}.{number}"
        yield Annotate(PODS, meta.namespace, meta.name, meta.uid, {labels.DYNO: name})
