"""What the status of a Build says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from haikube.model import names
from haikube.model.conditions import Condition, Verdict, completion, observation, stamp
from haikube.model.source import Slug
from haikube.model.times import format_time
from haikube.plan.buildview import BuildView
from haikube.plan.context import Context
from haikube.plan.outcome import Lost, Outcome
from haikube.plan.result import Built

_SOURCE_FAILURES = frozenset({"SourceUnavailable", "SourceInvalid", "SourceTooLarge"})


def build_status(
    view: BuildView,
    verdict: Verdict,
    context: Context,
    *,
    result: str,
    outcome: Outcome | None = None,
    started: bool = False,
) -> dict[str, Any]:
    """Return the complete status of a build that is not finished, or finishes now.

    ``started`` says that this pass makes the Job: it is there when the status is written.
    """
    build = view.build
    wanted = (*completion(verdict), *_details(outcome, verdict))
    fields: dict[str, Any] = {
        "observedGeneration": build.meta.generation,
        "result": result,
        "stack": view.stack.meta.name if view.stack else "",
        "jobName": build.meta.name if view.job or started else build.status.get("jobName", ""),
        "podName": view.pod.meta.name if view.pod else build.status.get("podName", ""),
        "logKey": names.log_key(view.app.meta.uid, build.meta.uid) if view.app else "",
        "conditions": stamp(
            build.status.get("conditions", ()), wanted, build.meta.generation, context.now
        ),
        "release": _release(view),
        **_times(view, finished=outcome is not None, now=context.now),
        **_outcome_fields(view, outcome),
    }
    return {key: value for key, value in fields.items() if value not in ("", None)}


def recorded_status(view: BuildView, context: Context) -> dict[str, Any]:
    """Return the status of a finished build as it is recorded, with its release."""
    build = view.build
    recorded = build.status.get("conditions", ())
    kept = (
        Condition(each["type"], each["status"], each["reason"], each.get("message", ""))
        for each in recorded
    )
    status = {
        **build.status,
        "observedGeneration": build.meta.generation,
        "conditions": stamp(recorded, kept, build.meta.generation, context.now),
    }
    release = _release(view)
    return {**status, "release": release} if release else status


def _release(view: BuildView) -> dict[str, Any] | None:
    made = (each for each in view.releases if each.is_of(view.build))
    first = min(made, key=lambda each: each.version, default=None)
    return {"name": first.meta.name, "version": first.version} if first else None


def _times(view: BuildView, *, finished: bool, now: datetime) -> dict[str, str]:
    before = view.build.status.get("startedAt", "")
    started = format_time(view.started) if view.started else before
    if not finished:
        return {"startedAt": started}
    return {
        "startedAt": started,
        "finishedAt": format_time(view.ended or now),
        "duration": view.duration(now),
    }


def _outcome_fields(view: BuildView, outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None or view.app is None:
        return {}
    if not isinstance(outcome, Built):
        return {"failure": {"reason": outcome.reason, "message": outcome.message}}
    key = names.slug_key(view.app.meta.uid, view.build.meta.uid)
    slug = Slug(key, outcome.digest, outcome.size, outcome.process_types)
    return {
        "slug": slug.spec(),
        "buildpacks": list(outcome.buildpacks),
        "language": outcome.language,
    }


def _details(outcome: Outcome | None, verdict: Verdict) -> tuple[Condition, ...]:
    """Return SourceReady and SlugStored as far as they are known."""
    if outcome is None:
        return ()
    reason, message = verdict.reason, verdict.message
    stored = isinstance(outcome, Built)
    slug = observation("SlugStored", holds=stored, reason=reason, message=message)
    if reason in _SOURCE_FAILURES:
        source = observation("SourceReady", holds=False, reason=reason, message=message)
        return (source, slug)
    if isinstance(outcome, Lost) or reason == "Canceled":
        return (slug,)
    text = "the source was fetched and its checksum is right"
    return (observation("SourceReady", holds=True, reason="SourceFetched", message=text), slug)
