"""Release: what a ledger entry needs before it may serve, and which entry is current.

A release is *pending* until its config snapshot and its slug URL exist and its release phase, if
the slug has one, has ended well. What this plan itself writes counts as there, for a status is
written only after all writes before it were done. Releases of an app go through this one after
the other. The highest version that succeeded is current; a failed one never is. An end is
believed from the status alone: the Job of the release phase does not last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from haikube.model import labels, names
from haikube.model.app import App
from haikube.model.conditions import (
    Verdict,
    completion,
    find,
    progressing,
    ready,
    stalled,
    stamp,
)
from haikube.model.intents import Create, Event, Plan, Presign, Write
from haikube.model.job import Job
from haikube.model.pod import Ended, Pod
from haikube.model.release import FAILED, PENDING, SUCCEEDED, Release, is_under_way
from haikube.model.resources import JOBS, RELEASES, SECRETS
from haikube.model.secret import Secret
from haikube.model.source import RELEASE_PHASE
from haikube.model.stack import Stack
from haikube.model.times import format_time
from haikube.plan.children import child_labels, child_metadata, label_value
from haikube.plan.context import Context, first
from haikube.plan.dynos import DynoPod
from haikube.plan.snapshot import config_digest, snapshot


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """One release among all of its app, and everything made for it."""

    release: Release
    app: App | None
    stack: Stack | None
    releases: tuple[Release, ...]
    config: Secret | None
    snapshot: Secret | None
    rolled_back: Secret | None
    slug_url: Secret | None
    job: Job | None
    phase_pods: tuple[Pod, ...]
    in_use: bool

    @property
    def ended(self) -> Ended | None:
        """Return how the release command ended."""
        return next((pod.ended for pod in self.phase_pods if pod.ended), None)

    @property
    def command(self) -> str | None:
        """Return the command of the release phase, or None."""
        return self.release.slug.command(RELEASE_PHASE) if self.release.slug else None

    @property
    def current(self) -> bool:
        """Return whether no later release has succeeded."""
        later = (each for each in self.releases if each.version > self.release.version)
        return not any(each.result == SUCCEEDED for each in later)


def plan_release(view: ReleaseView, context: Context) -> Plan:
    """Return what should exist for a release and what its status says."""
    release = view.release
    if release.meta.deleting or view.app is None:
        return Plan()
    verdict = _recorded(release) or first(_CHAIN, view)
    renew = _slug_url(view, view.app, context)
    started = _phase(view, view.app, context) if verdict.reason == _RUNNING else ()
    return Plan(
        writes=(*_copy_of_rollback(view, view.app), *renew, *started),
        status=_status(view, verdict, context),
        events=() if release.result != PENDING else _events(verdict),
        requeue_after=_renewal(view, context),
    )


def _recorded(release: Release) -> Verdict | None:
    """Return the verdict of a release that has ended already."""
    known = find(release.status, SUCCEEDED)
    if release.result == SUCCEEDED:
        return ready("Released", known.get("message", "the release is complete"))
    if release.result == FAILED:
        return stalled(known.get("reason", "ReleaseCommandFailed"), known.get("message", ""))
    return None


# The chain: why a release is not complete yet


def _slug_missing(view: ReleaseView) -> Verdict | None:
    if view.release.slug is not None:
        return None
    return stalled("SlugMissing", "spec.slug names no slug; push code to make a new release")


def _slug_foreign(view: ReleaseView) -> Verdict | None:
    slug, app = view.release.slug, view.app
    if slug is None or app is None or names.is_of_app(slug.key, "slugs", app.meta.uid):
        return None
    return stalled("SlugNotOwned", "spec.slug is not one of this app; push code to release it")


def _snapshot_missing(view: ReleaseView) -> Verdict | None:
    if view.snapshot is not None or view.rolled_back is not None:
        return None
    return stalled(
        "SnapshotMissing",
        f"its config snapshot, Secret {view.release.config}, does not exist; "
        "push or change a config var to make a new release",
    )


def _no_phase(view: ReleaseView) -> Verdict | None:
    if view.command is not None:
        return None
    return ready("Released", "the release is complete")


def _waiting_for_older(view: ReleaseView) -> Verdict | None:
    for other in view.releases:
        if other.version < view.release.version and is_under_way(other):
            return progressing("WaitingForRelease", f"v{other.version} is not complete")
    return None


def _stack_missing(view: ReleaseView) -> Verdict | None:
    if view.stack is not None:
        return None
    return stalled("StackNotFound", f"there is no Stack {view.release.stack}; make it again")


def _phase_failed(view: ReleaseView) -> Verdict | None:
    ended = view.ended
    if ended is not None and ended.exit_code != 0:
        code = "out of memory" if ended.reason == "OOMKilled" else f"exit {ended.exit_code}"
        return stalled(
            "ReleaseCommandFailed",
            f"the release command failed ({code}); the release before keeps serving. "
            "Repair the command and push again",
        )
    if view.job is not None and view.job.failure == "DeadlineExceeded":
        return stalled("ReleaseTimedOut", "the release command ran into HAIKUBE_RELEASE_TIMEOUT")
    broken = view.job.failure if view.job else view.release.status.get("phaseJobName")
    if broken:  # it may have run half-way: only a person can say whether to run it again
        return stalled("ReleasePodLost", "the pod of the release command was lost; push again")
    return None


def _phase_done(view: ReleaseView) -> Verdict | None:
    if view.ended is not None or (view.job is not None and view.job.complete):
        return ready("Released", "the release command succeeded")
    return None


def _phase_runs(view: ReleaseView) -> Verdict:
    del view
    return progressing(_RUNNING, "the release command is running")


_RUNNING = "ReleaseCommandRunning"

_CHAIN = (
    _slug_missing,
    _slug_foreign,  # a URL for a slug of another app would be a gift
    _snapshot_missing,
    _waiting_for_older,  # the ledger is worked off in order
    _no_phase,
    _stack_missing,
    _phase_failed,
    _phase_done,
    _phase_runs,
)


# What is made


def _copy_of_rollback(view: ReleaseView, app: App) -> tuple[Write, ...]:
    if view.snapshot is not None or view.rolled_back is None:
        return ()
    seen = config_digest(view.config) if view.config else ""
    return (snapshot(app.meta, view.release.config, view.rolled_back.config_vars, seen=seen),)


def _needed(view: ReleaseView) -> bool:
    """Return whether a dyno may still be started from this release."""
    if view.release.result == PENDING or view.in_use:
        return True
    return view.release.result == SUCCEEDED and view.current


def _half_life(view: ReleaseView, context: Context) -> datetime | None:
    expires = view.slug_url.expires_at if view.slug_url else None
    return expires - timedelta(seconds=context.settings.slug_url_seconds / 2) if expires else None


def _slug_url(view: ReleaseView, app: App, context: Context) -> tuple[Write, ...]:
    slug, due = view.release.slug, _half_life(view, context)
    if (
        slug is None
        or _slug_foreign(view)
        or not _needed(view)
        or (due is not None and context.now < due)
    ):
        return ()
    life = context.settings.slug_url_seconds
    marks = {**child_labels(app.meta, "slug-url"), labels.RELEASE: _label(view.release)}
    expires = {labels.EXPIRES_AT: format_time(context.now + timedelta(seconds=life))}
    name = names.slug_secret_name(view.release.meta.name)
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": child_metadata(name, (RELEASES, view.release.meta), marks, expires),
        "type": "Opaque",
        "stringData": {"digest": slug.digest},
    }
    return (Create(SECRETS, body, presigned={"url": Presign("GET", slug.key, life)}, renew=True),)


def _renewal(view: ReleaseView, context: Context) -> float | None:
    due = _half_life(view, context)
    if due is None or not _needed(view):
        return None
    return max(1.0, (due - context.now).total_seconds())


def _phase(view: ReleaseView, app: App, context: Context) -> tuple[Write, ...]:
    if view.job is not None or view.stack is None or view.command is None:
        return ()
    name = names.phase_job_name(view.release.meta.name)
    marks = {**child_labels(app.meta, "release-phase"), labels.RELEASE: _label(view.release)}
    pod = DynoPod(app, view.release, view.stack, RELEASE_PHASE, view.command)
    values = {
        "metadata": child_metadata(name, (RELEASES, view.release.meta), marks),
        "labels": marks,
        "annotations": {labels.DYNO: "release.1"},
        "deadline": context.settings.release_timeout,
        "ttl": context.settings.build_ttl,
        "pod": pod.render(context, restart_policy="Never"),
    }
    return (Create(JOBS, context.render("phase-job", values)),)


def _label(release: Release) -> str:
    return label_value(release.meta.name)


# What the status says

_RESULTS = {True: SUCCEEDED, False: PENDING}
_FINAL_FAILURES = frozenset(
    {"ReleaseCommandFailed", "ReleaseTimedOut", "ReleasePodLost", "SlugNotOwned"}
)


def _status(view: ReleaseView, verdict: Verdict, context: Context) -> dict[str, Any]:
    release = view.release
    result = FAILED if verdict.reason in _FINAL_FAILURES else _RESULTS[verdict.is_ready]
    fields = {
        "observedGeneration": release.meta.generation,
        "result": result,
        "current": result == SUCCEEDED and view.current,
        "phaseJobName": view.job.meta.name if view.job else release.status.get("phaseJobName"),
        "conditions": stamp(
            release.status.get("conditions", ()),
            completion(verdict),
            release.meta.generation,
            context.now,
        ),
    }
    return {key: value for key, value in fields.items() if value is not None}


def _events(verdict: Verdict) -> tuple[Event, ...]:
    if verdict.is_ready:
        return (Event("Normal", verdict.reason, verdict.message),)
    if verdict.is_stalled:
        return (Event("Warning", verdict.reason, verdict.message),)
    return ()
