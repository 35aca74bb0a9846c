"""The presigned URL by which dynos fetch a slug: made, renewed in time, and gone when of no use."""

from __future__ import annotations

from datetime import datetime, timedelta

from haikube.model import labels, names
from haikube.model.app import App
from haikube.model.intents import Create, Presign, Write
from haikube.model.release import PENDING, SUCCEEDED
from haikube.model.resources import RELEASES, SECRETS
from haikube.model.times import format_time
from haikube.plan.children import SLUG_URL, child_labels, child_metadata, delete, label_value
from haikube.plan.context import Context
from haikube.plan.release.view import ReleaseView


def plan_slug_url(view: ReleaseView, app: App, context: Context) -> tuple[Write, ...]:
    """Return the Secret with the URL, renewed at half of its life, or its end."""
    slug, due = view.release.slug, _half_life(view, context)
    if slug is None or not names.is_of_app(slug.key, "slugs", app.meta.uid):
        return ()
    if not _needed(view):
        return (delete(SECRETS, view.slug_url.meta),) if view.slug_url else ()
    if due is not None and context.now < due:
        return ()
    life = context.settings.slug_url_seconds
    name = view.release.meta.name
    marks = {**child_labels(app.meta, SLUG_URL), labels.RELEASE: label_value(name)}
    expires = {labels.EXPIRES_AT: format_time(context.now + timedelta(seconds=life))}
    owner = (RELEASES, view.release.meta)
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": child_metadata(names.slug_secret_name(name), owner, marks, expires),
        "type": "Opaque",
        "stringData": {"digest": slug.digest},
    }
    return (Create(SECRETS, body, presigned={"url": Presign("GET", slug.key, life)}, renew=True),)


def renewal(view: ReleaseView, context: Context) -> float | None:
    """Return the seconds until the URL is to be renewed."""
    due = _half_life(view, context)
    if due is None or not _needed(view):
        return None
    return max(1.0, (due - context.now).total_seconds())


def _needed(view: ReleaseView) -> bool:
    """Return whether a dyno may still be started from this release."""
    if view.release.result == PENDING or view.in_use or not view.over:
        return True
    return view.release.result == SUCCEEDED and view.current


def _half_life(view: ReleaseView, context: Context) -> datetime | None:
    expires = view.slug_url.expires_at if view.slug_url else None
    return expires - timedelta(seconds=context.settings.slug_url_seconds / 2) if expires else None
