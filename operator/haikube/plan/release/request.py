"""Requests for a rollback: a Release without version, which the operator answers with an entry.

A request that is answered goes. One that cannot be says why, and stays for its maker to see.
"""

from __future__ import annotations

from haikube.model import labels
from haikube.model.conditions import Verdict, completion, progressing, stalled, stamp
from haikube.model.intents import Plan
from haikube.model.release import FAILED, PENDING, Release
from haikube.model.release import SUCCEEDED as DONE
from haikube.model.resources import RELEASES
from haikube.plan.children import SNAPSHOT, delete
from haikube.plan.context import Context
from haikube.plan.world import AppWorld


def grant(world: AppWorld, request: Release) -> Release | Verdict:
    """Return the release that is to be brought back, or why it cannot be."""
    origin = world.release(request.rollback_of)
    if not request.rollback_of:
        return stalled("NoSuchRelease", "it does not say what to roll back to; name rollbackOf")
    if origin is None:
        return stalled(
            "NoSuchRelease",
            f"there is no v{request.rollback_of} of {world.name}; see kubectl get releases",
        )
    if origin.slug is None:
        return stalled(
            "NothingToRun",
            f"v{origin.version} has no slug; name a release that code was deployed with",
        )
    if origin.result != DONE:
        return stalled(
            "ReleaseNotComplete",
            f"v{origin.version} never ran, for it did not succeed; name one that did",
        )
    if world.child_secret(origin.meta, SNAPSHOT) is None:
        return stalled(
            "SnapshotMissing",
            f"the config of v{origin.version}, Secret {origin.config}, is gone; name another one",
        )
    return origin


def plan_request(world: AppWorld, request: Release, context: Context) -> Plan:
    """Return the end of a request."""
    if request.meta.deleting:
        return Plan()
    answers = (each.meta.annotations.get(labels.REQUESTED_BY) for each in world.releases)
    if request.meta.uid in answers:
        return Plan(writes=(delete(RELEASES, request.meta),))
    found = grant(world, request)
    waiting = progressing("Releasing", "its release is being made")
    verdict = found if isinstance(found, Verdict) else waiting
    return Plan(status=_status(request, verdict, context))


def _status(request: Release, verdict: Verdict, context: Context) -> dict[str, object]:
    return {
        "observedGeneration": request.meta.generation,
        "result": FAILED if verdict.is_stalled else PENDING,
        "conditions": stamp(
            request.status.get("conditions", ()),
            completion(verdict),
            request.meta.generation,
            context.now,
        ),
    }
