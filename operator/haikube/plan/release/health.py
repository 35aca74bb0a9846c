"""Which release answers, and whether the one that should is well.

``current`` is what was decided, ``serving`` what is: while new dynos start, and when they never
do, the dynos of an older release answer. Both follow from the pods alone.
"""

from __future__ import annotations

from haikube.model import labels
from haikube.model.conditions import Condition, detail
from haikube.model.formation import WEB
from haikube.model.release import Release
from haikube.plan.app.verdicts import process_verdict
from haikube.plan.children import label_value
from haikube.plan.world import AppWorld

HEALTHY = "Healthy"


def serving(world: AppWorld) -> Release | None:
    """Return the release whose dynos answer: the newest of which one is up.

    Web dynos decide, where there are any; during a rollout the old release serves until all dynos
    of the new one are up.
    """
    up = [pod for pod in world.dyno_pods if pod.ready and not pod.over]
    web = [pod for pod in up if pod.meta.labels.get(labels.PROCESS_TYPE) == WEB]
    running = {pod.meta.labels.get(labels.RELEASE) for pod in web or up}
    found = [each for each in world.releases if label_value(each.meta.name) in running]
    found.sort(key=lambda each: each.version)
    current = world.current
    if current in found and len(found) > 1 and not _all_up(world):
        found.remove(current)
    return found[-1] if found else None


def _all_up(world: AppWorld) -> bool:
    verdict = process_verdict(world)
    return verdict is not None and verdict.is_ready


def health(world: AppWorld, release: Release) -> Condition | None:
    """Return how the dynos of a release are; of one that is not current what was known last."""
    if world.current is not None and world.current.meta.uid == release.meta.uid:
        verdict = process_verdict(world)
        wanted = any(each.quantity for each in world.formations)
        return detail(HEALTHY, verdict) if verdict and wanted else None
    known = next(
        (each for each in release.status.get("conditions") or () if each["type"] == HEALTHY), None
    )
    return Condition(HEALTHY, known["status"], known["reason"], known["message"]) if known else None
