"""Release: what exists for a ledger entry, composed of its snapshot, URL, phase and status."""

from __future__ import annotations

from dataclasses import replace

from haikube.model.app import App
from haikube.model.intents import Object, Plan, Write
from haikube.model.release import PENDING
from haikube.plan.context import Context
from haikube.plan.release.phase import plan_phase, release_verdict
from haikube.plan.release.slugurl import plan_slug_url, renewal
from haikube.plan.release.snapshot import plan_snapshot
from haikube.plan.release.status import release_events, release_status
from haikube.plan.release.view import ReleaseView


def plan_release(view: ReleaseView, context: Context) -> Plan:
    """Return what should exist for a release and what its status says of itself.

    It counts as complete only once its Secrets are seen to exist, so no dyno is made for less.
    """
    if view.release.meta.deleting or view.app is None:
        return Plan()
    verdict = release_verdict(view)
    status = release_status(view, verdict, context)
    return Plan(
        writes=_children(view, view.app, context),
        status=status,
        events=release_events(view, verdict),
        requeue_after=_again(view, view.app, status, context),
    )


def _children(view: ReleaseView, app: App, context: Context) -> tuple[Write, ...]:
    return (
        *plan_snapshot(view, app),
        *plan_slug_url(view, app, context),
        *plan_phase(view, app, context),
    )


def _again(view: ReleaseView, app: App, status: Object, context: Context) -> float | None:
    """Return when to look again: at once, if what any release needed until its end may go then."""
    if view.release.result == PENDING and status.get("result") != PENDING:
        ended = replace(view, release=view.release.with_status(status))
        if _replaces_code(view) or _children(ended, app, context):
            return 0.0
    return renewal(view, context)


def _replaces_code(view: ReleaseView) -> bool:
    """Return whether an earlier release has code: it may no longer be the one that is current."""
    return any(each.slug for each in view.releases if each.version < view.release.version)
