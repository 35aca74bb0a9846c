"""Build: a Job for each build, one build per app at a time, and what became of it.

States, each derived anew from what exists: *waiting* (an older build of the app is unfinished,
the app or the stack is missing), *running* (the Job exists), *finished*. A finished build is
believed from its status alone: its Job and pod may be gone by then. Cancelling deletes the Job.
"""

from __future__ import annotations

from haikube.model.build import CANCELED, FAILED, PENDING, RUNNING, SUCCEEDED
from haikube.model.conditions import Verdict, progressing, ready, stalled
from haikube.model.intents import Event, Plan, Write
from haikube.model.names import is_of_app
from haikube.model.resources import JOBS, SECRETS
from haikube.model.times import parse_time
from haikube.plan.buildjob import build_job, urls_secret
from haikube.plan.buildstatus import build_status, recorded_status
from haikube.plan.buildview import BuildView
from haikube.plan.children import delete
from haikube.plan.context import PATIENCE, Context, first
from haikube.plan.outcome import Outcome
from haikube.plan.result import Broken, Built

STORAGE_RETRY = 5.0
CONFIG_RETRY = 30.0
LEAVING = 30.0
"""Seconds that the pod of a finished build may take to end."""


def plan_build(view: BuildView, context: Context) -> Plan:
    """Return what should exist for a build and what its status says."""
    if view.build.meta.deleting:
        return Plan()
    if view.build.finished:
        return _after(view, context)
    outcome = _refusal(view) or view.outcome or _no_room(view, context)
    if outcome is not None:
        return _finish(view, outcome, context)
    return _go_on(view, _no_users(view, context) or first(_CHAIN, view), context)


def _refusal(view: BuildView) -> Outcome | None:
    """Return why a build ends whatever its pod does.

    Its spec may name any archive; a URL for one of another app would be a gift.
    """
    if view.build.cancel:
        return Broken("Canceled", "canceled on request")
    source = view.build.source
    if source is None or source.kind != "archive" or view.app is None:
        return None
    if is_of_app(str(source.fields.get("key")), "sources", view.app.meta.uid):
        return None
    return Broken("SourceInvalid", "the archive is not one of this app; upload the source again")


def _no_room(view: BuildView, context: Context) -> Outcome | None:
    """Return why a build that has not begun ends at once; one that runs may end well."""
    if not context.storage_full or view.job is not None or view.build.result != PENDING:
        return None
    return Broken(
        "StorageFull",
        f"{context.storage_full}; destroy apps that nobody needs, or ask the platform's operators "
        "for more room, then deploy again",
    )


def _finish(view: BuildView, outcome: Outcome, context: Context) -> Plan:
    if isinstance(outcome, Built):
        duration = view.duration(context.now)
        text = f"built in {duration}" if duration else "built"
        verdict, result = ready("BuildSucceeded", text), SUCCEEDED
        event = Event("Normal", verdict.reason, text)
    else:
        verdict = stalled(outcome.reason, outcome.message)
        result = CANCELED if outcome.reason == "Canceled" else FAILED
        event = Event("Warning", verdict.reason, verdict.message)
    writes = (delete(JOBS, view.job.meta),) if view.build.cancel and view.job else ()
    status = build_status(view, verdict, context, result=result, outcome=outcome)
    return Plan(writes=writes, status=status, events=(event,), requeue_after=_leaving(outcome))


def _leaving(outcome: Outcome) -> float:
    """Return the seconds that the pod may take to end; none where it would only fill the disk."""
    full = not isinstance(outcome, Built) and outcome.reason == "DiskFull"
    return 0.0 if full else LEAVING


def _after(view: BuildView, context: Context) -> Plan:
    """Keep the record, and see to it that Job and URLs of a finished build end.

    Only once the end is recorded, since a Job that is gone is made again.
    """
    status = recorded_status(view, context)
    if view.job is not None and not view.job.over:
        left = _time_left(view, context)
        if left > 0:
            return Plan(status=status, requeue_after=left)
        return Plan(writes=(delete(JOBS, view.job.meta),), status=status)
    urls = (delete(SECRETS, view.urls.meta),) if view.urls else ()
    return Plan(writes=urls, status=status)


def _time_left(view: BuildView, context: Context) -> float:
    """Return the seconds that the Job of a finished build still has.

    It has none where it would only fill the disk once more.
    """
    failure, finished = view.build.status.get("failure") or {}, view.build.status.get("finishedAt")
    if failure.get("reason") == "DiskFull" or not finished:
        return 0.0
    return LEAVING - (context.now - parse_time(finished)).total_seconds()


def _go_on(view: BuildView, verdict: Verdict, context: Context) -> Plan:
    blocked = verdict.reason in _BLOCKED
    writes = () if blocked else _start(view, context)
    result = RUNNING if view.job is not None or writes else PENDING
    return Plan(
        writes=writes,
        status=build_status(view, verdict, context, result=result, started=bool(writes)),
        requeue_after=_retry(view),
    )


def _retry(view: BuildView) -> float | None:
    """Return when to look again at what no watch tells of."""
    if view.stored.error:
        return STORAGE_RETRY
    if view.pod and view.pod.prepared:
        return PATIENCE.total_seconds()
    return CONFIG_RETRY if view.hidden_config else None


def _start(view: BuildView, context: Context) -> tuple[Write, ...]:
    if view.app is None or view.stack is None:
        return ()
    parts = (view.build, view.app, view.stack, view.ca_bundle, context)
    expires = view.urls.expires_at if view.urls else None
    stale = view.job is None and expires is not None and expires <= context.now
    urls = (urls_secret(*parts),) if view.urls is None or stale else ()
    job = (build_job(*parts),) if view.job is None else ()
    return (*urls, *job)


# The chain: why a build is not finished yet


def _app_missing(view: BuildView) -> Verdict | None:
    if view.app is not None:
        return None
    return stalled("AppNotFound", f"there is no App {view.build.app}; create it or delete this")


def _source_missing(view: BuildView) -> Verdict | None:
    if view.build.source is not None:
        return None
    return stalled("SourceMissing", "spec.source names no git, blob or archive; make a new Build")


def _stack_missing(view: BuildView) -> Verdict | None:
    if view.stack is not None:
        return None
    return stalled(
        "StackNotFound",
        f"there is no Stack {view.build.stack or '(default)'}; see kubectl get stacks, "
        "then make it or cancel this build",
    )


def _config_foreign(view: BuildView) -> Verdict | None:
    """Refuse to hand a Secret to a stranger's build that the app only gives the name of."""
    if not view.hidden_config or view.job is not None or view.app is None:
        return None
    name, app = view.app.config, view.app.meta.name
    return stalled(
        "ConfigSecretNotLabelled",
        f"Secret {name} is not known as the config of this app; label it: "
        f"kubectl label secret {name} haikube.dev/app={app}",
    )


def _queued(view: BuildView) -> Verdict | None:
    if view.ahead is None or view.job is not None:
        return None
    name = view.ahead.meta.name
    return progressing("WaitingForBuild", f"build {name} of this app is not finished")


def _not_its_turn(view: BuildView) -> Verdict | None:
    if view.admitted or view.job is not None:
        return None
    return progressing("WaitingForTurn", "as many builds as may run at a time are running")


def _storage_down(view: BuildView) -> Verdict | None:
    if not view.stored.error:
        return None
    return progressing("StorageUnavailable", f"its result cannot be read: {view.stored.error}")


def _pod_trouble(view: BuildView) -> Verdict | None:
    if view.pod is None or view.pod.running_since or view.pod.ended:
        return None
    if view.pod.waiting in _PULL_TROUBLE:
        return progressing("ImagePullFailed", f"{view.pod.waiting}: {view.pod.waiting_message}")
    if view.pod.unschedulable:
        return progressing("Unschedulable", f"no node for the build: {view.pod.unschedulable}")
    return None


def _no_users(view: BuildView, context: Context) -> Verdict | None:
    pods = (view.pod,) if view.pod else ()
    return context.lacks_users(context.settings.build_runtime_class, pods)


def _under_way(view: BuildView) -> Verdict:
    if view.running:
        return progressing("BuildRunning", "the app is being built")
    if view.interrupted:
        return progressing("BuildRestarting", "its pod was interrupted; another one starts anew")
    return progressing("BuildStarting", "the build pod is starting")


_PULL_TROUBLE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})

_CHAIN = (
    _app_missing,
    _source_missing,
    _stack_missing,
    _config_foreign,
    _queued,  # one build per app at a time, in the order they were made
    _not_its_turn,
    _storage_down,
    _pod_trouble,
    _under_way,
)

_BLOCKED = frozenset(
    {
        "AppNotFound",
        "SourceMissing",
        "StackNotFound",
        "ConfigSecretNotLabelled",
        "WaitingForBuild",
        "WaitingForTurn",
        "StorageUnavailable",
    }
)
