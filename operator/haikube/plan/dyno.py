"""Dyno: one command beside the formation, in a pod of its own that never restarts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from haikube.model import labels, names
from haikube.model.app import App
from haikube.model.conditions import Verdict, completion, progressing, ready, stalled, stamp
from haikube.model.dyno import Dyno
from haikube.model.intents import Create, Plan, Write
from haikube.model.pod import Pod
from haikube.model.release import Release
from haikube.model.resources import DYNOS, PODS
from haikube.model.stack import Stack
from haikube.model.times import format_time, parse_time
from haikube.plan.children import ONE_OFF, child_labels, child_metadata, delete, label_value
from haikube.plan.context import Context, first
from haikube.plan.diagnosis import diagnose
from haikube.plan.dynos import DynoPod
from haikube.plan.sizes import Size, find_size, size_names
from haikube.plan.world import AppWorld
from haikube.settings import Settings

_STATES = {"DynoComplete": "Complete", "DynoUp": "Up", "DynoStarting": "Starting"}
_ALIVE = frozenset({"DynoUp", "DynoStarting"})
_NUMBERS = 9000
_FIRST_NUMBER = 1000


@dataclass(frozen=True, slots=True)
class DynoView:
    """One one-off dyno, the release it runs and its pod."""

    dyno: Dyno
    size: Size | None
    sizes: str
    app: App | None
    release: Release | None
    stack: Stack | None
    pod: Pod | None

    @property
    def command(self) -> str | None:
        """Return what it runs: its own command, else that of its process type."""
        if self.dyno.command:
            return self.dyno.command
        slug = self.release.slug if self.release else None
        return slug.command(self.dyno.process_type) if slug else None


def plan_dyno(view: DynoView, context: Context) -> Plan:
    """Return the pod of a one-off dyno and what its status says."""
    if view.dyno.meta.deleting:
        return Plan()
    if view.dyno.ended:
        return _kept(view.dyno, context)
    verdict = first(_CHAIN, view)
    left = _session_left(view.dyno, context)
    if left is not None and left <= 0 and verdict.reason in _ALIVE:
        verdict = stalled("SessionOver", "whoever was attached has gone; create a new Dyno")
        return Plan(_end(view.pod), _status(view, verdict, context))
    writes = _pod(view, context) if verdict.reason == "DynoStarting" else ()
    return Plan(writes, _status(view, verdict, context), requeue_after=left)


def dyno_name(dyno: Dyno) -> str:
    """Return the value of DYNO, as Heroku makes it: ``run.1234``.

    The number is that of the object's name where it has one, so that two never share it.
    """
    kind = dyno.process_type or "run"
    stem, _, number = dyno.meta.name.rpartition("-")
    if stem == names.one_off_stem(dyno.app) and number.isdecimal():
        return f"{kind}.{number}"
    hashed = int(hashlib.sha256(dyno.meta.uid.encode()).hexdigest(), 16) % _NUMBERS
    return f"{kind}.{hashed + _FIRST_NUMBER}"


def _session_left(dyno: Dyno, context: Context) -> float | None:
    """Return the seconds for which its session still counts as alive, None without one."""
    try:
        until = parse_time(dyno.meta.annotations[labels.SESSION_UNTIL])
    except (KeyError, ValueError):
        return None
    return (until - context.now).total_seconds()


def _end(pod: Pod | None) -> tuple[Write, ...]:
    """Stop it, SIGTERM first."""
    return () if pod is None else (delete(PODS, pod.meta),)


def _kept(dyno: Dyno, context: Context) -> Plan:
    """Return the plan for one that has ended: it goes when its time is over."""
    ended = dyno.status.get("finishedAt") or _last_change(dyno)
    if dyno.keep is None or ended is None:
        return Plan()
    left = (parse_time(ended) - context.now).total_seconds() + dyno.keep
    if left > 0:
        return Plan(requeue_after=left)
    return Plan((delete(DYNOS, dyno.meta),))


def _last_change(dyno: Dyno) -> str | None:
    """Return when it was known to have ended, for one whose pod was lost."""
    times = [each["lastTransitionTime"] for each in dyno.status.get("conditions") or ()]
    return max(times, default=None)


def _pod(view: DynoView, context: Context) -> tuple[Write, ...]:
    dyno, command = view.dyno, view.command
    if view.pod is not None or command is None:
        return ()
    if view.app is None or view.release is None or view.stack is None or view.size is None:
        return ()
    marks = {
        **child_labels(view.app.meta, ONE_OFF),
        labels.RELEASE: label_value(view.release.meta.name),
    }
    kind = dyno.process_type or "run"
    pod = DynoPod(view.app, view.release, view.stack, kind, command, view.size)
    named = {labels.DYNO: dyno_name(dyno)}
    values = {
        "metadata": child_metadata(dyno.meta.name, (DYNOS, dyno.meta), marks, named),
        "pod": pod.render(context, restart_policy="Never", deadline=dyno.ttl, run=dyno),
    }
    return (Create(PODS, context.render("one-off-pod", values)),)


def _app_missing(view: DynoView) -> Verdict | None:
    if view.app is not None:
        return None
    return stalled("AppNotFound", f"there is no App {view.dyno.app}; create it or delete this")


def _ended(view: DynoView) -> Verdict | None:
    ended = view.pod.ended if view.pod else None
    if ended is None:
        return None
    if ended.exit_code == 0:
        return ready("DynoComplete", "the command ended with exit code 0")
    return stalled("DynoCrashed", f"the command ended with exit code {ended.exit_code}")


def _broken_off(view: DynoView) -> Verdict | None:
    if view.pod is None:
        lost = view.dyno.status.get("podName")
        return stalled("DynoLost", f"its pod {lost} is gone; create a new Dyno") if lost else None
    if view.pod.reason == "DeadlineExceeded":
        return stalled("DynoExpired", f"it ran longer than its {view.dyno.ttl} s; raise ttlSeconds")
    if view.pod.phase == "Failed":
        return stalled("DynoLost", f"its pod was stopped: {view.pod.reason or 'unknown cause'}")
    return None


def _up(view: DynoView) -> Verdict | None:
    if view.pod is None or view.pod.running_since is None:
        return None
    return progressing("DynoUp", "the command is running")


def _no_release(view: DynoView) -> Verdict | None:
    if view.release is not None:
        return None
    return stalled("NoRelease", "the app has no release; push code first: git push heroku main")


def _no_command(view: DynoView) -> Verdict | None:
    if view.command is not None:
        return None
    return stalled(
        "NotInRelease", f"the release has no process type {view.dyno.process_type}; give a command"
    )


def _unknown_size(view: DynoView) -> Verdict | None:
    if view.size is not None:
        return None
    return stalled("UnknownSize", f"there is no size {view.dyno.size}; use one of {view.sizes}")


def _stack_missing(view: DynoView) -> Verdict | None:
    if view.stack is not None or view.release is None:
        return None
    return stalled("StackNotFound", f"there is no Stack {view.release.stack}; make it again")


def _pod_trouble(view: DynoView) -> Verdict | None:
    return diagnose((view.pod,)) if view.pod else None


def _starting(view: DynoView) -> Verdict:
    del view
    return progressing("DynoStarting", "its pod is starting")


_CHAIN = (
    _app_missing,
    _ended,
    _broken_off,
    _up,
    _no_release,
    _no_command,
    _unknown_size,
    _stack_missing,
    _pod_trouble,
    _starting,
)


def _status(view: DynoView, verdict: Verdict, context: Context) -> dict[str, Any]:
    dyno, pod = view.dyno, view.pod
    ended = pod.ended if pod else None
    started = pod.running_since or (ended.started_at if ended else None) if pod else None
    fields: dict[str, Any] = {
        "observedGeneration": dyno.meta.generation,
        "state": _state(verdict),
        "podName": pod.meta.name if pod else dyno.status.get("podName"),
        "exitCode": ended.exit_code if ended else None,
        "startedAt": format_time(started) if started else dyno.status.get("startedAt"),
        "finishedAt": format_time(ended.finished_at) if ended and ended.finished_at else None,
        "release": _release(view),
        "conditions": stamp(
            dyno.status.get("conditions", ()),
            completion(verdict),
            dyno.meta.generation,
            context.now,
        ),
    }
    return {key: value for key, value in fields.items() if value is not None}


def _state(verdict: Verdict) -> str:
    ended = {"DynoCrashed", "DynoLost", "DynoExpired", "SessionOver"}
    return "Crashed" if verdict.reason in ended else _STATES.get(verdict.reason, "Pending")


def _release(view: DynoView) -> dict[str, Any] | None:
    """Return the release it runs: the one its pod was made for, once there is a pod."""
    if known := view.dyno.status.get("release"):
        return dict(known)
    if view.release is None:
        return None
    return {"name": view.release.meta.name, "version": view.release.version}


def dyno_view(world: AppWorld, dyno: Dyno, settings: Settings) -> DynoView:
    """Return all that decides about a one-off dyno."""
    release = world.current if world.current and world.current.slug else None
    pods = world.pods_of(dyno.meta)
    return DynoView(
        dyno=dyno,
        size=find_size(dyno.size, settings),
        sizes=size_names(settings),
        app=world.found,
        release=release,
        stack=world.stacks.get(release.stack) if release else None,
        pod=pods[0] if pods else None,
    )
