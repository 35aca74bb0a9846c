"""What the status of a Release says.

``current`` follows from how all releases end, ``serving`` and ``Healthy`` from how its dynos are,
and those from the release: so the status is made after all of them, by ``complete``.
"""

from __future__ import annotations

from typing import Any

from haikube.model.conditions import NEGATIVE, READY, Condition, Verdict, completion, stamp
from haikube.model.conditions import SUCCEEDED as ENDED
from haikube.model.intents import Event
from haikube.model.release import FAILED, PENDING, SUCCEEDED, Release
from haikube.plan.context import Context
from haikube.plan.release.health import health
from haikube.plan.release.view import ReleaseView
from haikube.plan.world import AppWorld

_RESULTS = {True: SUCCEEDED, False: PENDING}
_FINAL_FAILURES = frozenset(
    {
        "ReleaseCommandFailed",
        "ReleaseTimedOut",
        "ReleasePodLost",
        "ReleaseStopped",
        "SlugNotOwned",
    }
)
_OF_PHASE = frozenset({ENDED, READY, *NEGATIVE})


def release_status(view: ReleaseView, verdict: Verdict, context: Context) -> dict[str, Any]:
    """Return the status as far as it follows from the release itself."""
    release = view.release
    result = FAILED if verdict.reason in _FINAL_FAILURES else _RESULTS[verdict.is_ready]
    fields = {
        "observedGeneration": release.meta.generation,
        "result": result,
        "phaseJobName": view.job.meta.name if view.job else release.status.get("phaseJobName"),
        "retry": view.retry or None,
        "stop": release.status.get("stop") if result == PENDING else view.stop or None,
        "conditions": stamp(
            release.status.get("conditions", ()),
            completion(verdict),
            release.meta.generation,
            context.now,
        ),
    }
    return {key: value for key, value in fields.items() if value is not None}


def complete(
    world: AppWorld, before: Release, after: Release, context: Context, *, serves: bool
) -> dict[str, Any]:
    """Return the whole status: ``after`` with what the others add; ``before`` is as recorded."""
    current = world.current is not None and world.current.meta.uid == after.meta.uid
    known = health(world, before)
    generation = after.meta.generation
    own = [each for each in after.status.get("conditions", ()) if each["type"] in _OF_PHASE]
    added: tuple[Condition, ...] = (known,) if known else ()
    stamped = stamp(before.status.get("conditions", ()), added, generation, context.now)
    told = {"current": current, "serving": serves, "conditions": [*own, *stamped]}
    return {**after.status, **told}


def release_events(view: ReleaseView, verdict: Verdict) -> tuple[Event, ...]:
    """Return what is worth an event: how a release phase ended, and what keeps a release back."""
    if view.over or not (verdict.is_stalled or (verdict.is_ready and view.command)):
        return ()
    return (Event("Warning" if verdict.is_stalled else "Normal", verdict.reason, verdict.message),)
