"""A web dyno that is alone hands over before it leaves its node: a drain waits for that, not long.

The budget of a lone web dyno lets no eviction through. Once its node is to be left, the dynos are
rolled as for a restart, so the new one serves before the old one goes, and the drain finds it
gone. Where no replacement gets ready in time, the budget gives way: a drain always ends.

The roll is known by a mark, the time when it began: dynos of an earlier mark, or of none, are those
that are to go (as texts, such times are in order). It is kept on the Deployment and never taken
back, so that nothing rolls twice.
"""

from __future__ import annotations

from datetime import timedelta

from haikube.model import labels
from haikube.model.pod import Pod
from haikube.model.times import format_time, parse_time
from haikube.plan.context import Context
from haikube.plan.formationview import FormationView


def hands_over(view: FormationView, context: Context) -> bool:
    """Return whether a formation has one web dyno, which may run beside its replacement."""
    surges = view.app is not None and view.app.rollout.surges
    alone = view.formation.is_web and view.formation.quantity == 1
    return alone and surges and context.settings.handover_seconds > 0


def mark(view: FormationView, context: Context) -> str:
    """Return when the dynos were last moved, or are to be: now, where one has to leave."""
    before = _kept(view)
    if hands_over(view, context) and any(_mark(pod) >= before for pod in _leaving(view)):
        return format_time(context.now)
    return before


def held(view: FormationView, context: Context) -> bool:
    """Return whether a drain is to wait for the dyno."""
    return hands_over(view, context) and not _too_late(view, context)


def look_again(view: FormationView, context: Context) -> float | None:
    """Return in how many seconds a drain has waited long enough, where one may be waiting."""
    began = mark(view, context)
    if not held(view, context) or not began or not list(_leaving(view)):
        return None
    until = parse_time(began) + timedelta(seconds=context.settings.handover_seconds)
    return max(1.0, (until - context.now).total_seconds())


def _too_late(view: FormationView, context: Context) -> bool:
    began = _kept(view)
    if not any(_mark(pod) < began for pod in _leaving(view)):
        return False
    patience = timedelta(seconds=context.settings.handover_seconds)
    return context.now - parse_time(began) >= patience


def _kept(view: FormationView) -> str:
    return view.deployment.meta.annotations.get(labels.MOVED_AT, "") if view.deployment else ""


def _leaving(view: FormationView) -> list[Pod]:
    return [pod for pod in view.pods if pod.node in view.leaving and not pod.over]


def _mark(pod: Pod) -> str:
    return pod.meta.annotations.get(labels.MOVED_AT, "")
