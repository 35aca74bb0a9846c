"""What a release needs before it may serve: its config, its slug URL and its release phase.

Releases of an app go through this one after the other. An end is believed from the status alone;
the Job of the release phase is kept until then, so that a migration never runs twice by itself.
A failed phase runs once more when a person says so (``labels.RETRY``), and one that hangs is
ended likewise (``labels.STOP``): its pod alone cannot tell whether it still does anything.
"""

from __future__ import annotations

from datetime import timedelta

from haikube.model import labels, names
from haikube.model.app import App
from haikube.model.conditions import Verdict, find, progressing, ready, stalled
from haikube.model.intents import Create, Write
from haikube.model.release import SUCCEEDED, is_under_way
from haikube.model.resources import JOBS, RELEASES
from haikube.model.source import RELEASE_PHASE
from haikube.plan.children import PHASE, child_labels, child_metadata, delete, label_value
from haikube.plan.context import Context, first
from haikube.plan.diagnosis import diagnose
from haikube.plan.dynos import DynoPod
from haikube.plan.release.view import ReleaseView

RUNNING = "ReleaseCommandRunning"
STOPPED = "ReleaseStopped"


def release_verdict(view: ReleaseView) -> Verdict:
    """Return how far a release is."""
    return _recorded(view) or first(_CHAIN, view)


def plan_phase(view: ReleaseView, app: App, context: Context) -> tuple[Write, ...]:
    """Return the Job of the release phase when it is time, and its end when it is over."""
    if view.over:
        return _tidy(view, context)
    if view.job is not None and release_verdict(view).reason == STOPPED:
        return (delete(JOBS, view.job.meta),)
    if view.job is not None or view.stack is None or view.command is None:
        return ()
    if release_verdict(view).reason != RUNNING:
        return ()
    label = label_value(view.release.meta.name)
    marks = {**child_labels(app.meta, PHASE), labels.RELEASE: label}
    pod = DynoPod(app, view.release, view.stack, RELEASE_PHASE, view.command)
    values = {
        "metadata": child_metadata(view.job_name, (RELEASES, view.release.meta), marks),
        "labels": marks,
        "annotations": {labels.DYNO: "release.1"},
        "deadline": context.settings.release_timeout,
        "pod": pod.render(context, restart_policy="Never"),
    }
    return (Create(JOBS, context.render("phase-job", values)),)


def _tidy(view: ReleaseView, context: Context) -> tuple[Write, ...]:
    """Return the end of Jobs whose outcome is on record, and has been for a while."""
    due = context.now - timedelta(seconds=context.settings.build_ttl)
    jobs = (*view.old_jobs, *((view.job,) if view.job else ()))
    return tuple(
        delete(JOBS, each.meta)
        for each in jobs
        if not each.meta.deleting and each.meta.created < due
    )


def _recorded(view: ReleaseView) -> Verdict | None:
    """Return the verdict of a release that has ended already."""
    if not view.over:
        return None
    known = find(view.release.status, "Succeeded")
    if view.release.result == SUCCEEDED:
        return ready("Released", known.get("message", "the release is complete"))
    return stalled(known.get("reason", "ReleaseCommandFailed"), known.get("message", ""))


# The chain: why a release is not complete yet


def _slug_foreign(view: ReleaseView) -> Verdict | None:
    slug, app = view.release.slug, view.app
    if slug is None or app is None or names.is_of_app(slug.key, "slugs", app.meta.uid):
        return None
    return stalled("SlugNotOwned", "spec.slug is not one of this app; push code to release it")


def _snapshot_missing(view: ReleaseView) -> Verdict | None:
    if view.snapshot is not None:
        return None
    if view.config_source is not None:
        return progressing("PreparingRelease", "its config is being copied")
    return stalled(
        "SnapshotMissing",
        f"its config snapshot, Secret {view.release.config}, cannot be made, for "
        f"{_where(view)} does not exist; push or change a config var to make a new release",
    )


def _where(view: ReleaseView) -> str:
    origin = view.release.rollback_of
    return f"the config of v{origin}" if origin else "the config Secret"


def _waiting_for_older(view: ReleaseView) -> Verdict | None:
    for other in view.releases:
        if other.version < view.release.version and is_under_way(other):
            name = other.meta.name
            return progressing(
                "WaitingForRelease",
                f"v{other.version} is not complete; to end its release command: "
                f"kubectl annotate --overwrite release {name} {labels.STOP}=$(date +%s)",
            )
    return None


def _no_slug(view: ReleaseView) -> Verdict | None:
    if view.release.slug is not None:
        return None
    return ready("Released", "there is no code yet: push it to deploy: git push heroku main")


def _url_missing(view: ReleaseView) -> Verdict | None:
    if view.slug_url is not None:
        return None
    return progressing("PreparingRelease", "the URL of its slug is being made")


def _no_phase(view: ReleaseView) -> Verdict | None:
    if view.command is not None:
        return None
    return ready("Released", "the release is complete")


def _stack_missing(view: ReleaseView) -> Verdict | None:
    if view.stack is not None:
        return None
    return stalled("StackNotFound", f"there is no Stack {view.release.stack}; make it again")


def _stopped(view: ReleaseView) -> Verdict | None:
    if view.stop in {"", view.release.status.get("stop")} or view.ended:
        return None
    return stalled(STOPPED, "the release command was stopped on request; push again")


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
    lost = view.job is None and view.release.status.get("phaseJobName") == view.job_name
    if lost or (view.job and view.job.failure):
        # it may have run half-way: only a person can say whether to run it again
        return stalled("ReleasePodLost", "the pod of the release command was lost; push again")
    return None


def _phase_done(view: ReleaseView) -> Verdict | None:
    if view.ended is not None or (view.job is not None and view.job.complete):
        return ready("Released", "the release command succeeded")
    return None


def _pod_trouble(view: ReleaseView) -> Verdict | None:
    """Return why the pod does not start; it is not over, for the cause may go."""
    found = diagnose(view.phase_pods)
    return progressing(found.reason, found.message) if found else None


def _phase_runs(view: ReleaseView) -> Verdict:
    del view
    return progressing(RUNNING, "the release command is running")


_CHAIN = (
    _slug_foreign,  # a URL for a slug of another app would be a gift
    _snapshot_missing,
    _no_slug,
    _url_missing,
    _waiting_for_older,  # the ledger is worked off in order
    _no_phase,
    _stack_missing,
    _stopped,
    _phase_failed,
    _phase_done,
    _pod_trouble,
    _phase_runs,
)
