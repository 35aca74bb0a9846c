"""Config snapshots: the immutable copy of the config vars that one release runs with.

It belongs to its Release and is made after it: from the snapshot of the release that is rolled
back to, else from the config Secret as it is then. Values are copied while committing and never
known to a plan, which sees names and digests only. A snapshot notes which config it was made
beside (``CONFIG_SEEN``), so that the config that a rollback left aside makes no release again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from haikube.model import labels
from haikube.model.app import App
from haikube.model.intents import Copy, Create, Write
from haikube.model.resources import RELEASES, SECRETS
from haikube.model.secret import Secret
from haikube.plan.children import SNAPSHOT, child_labels, child_metadata, label_value
from haikube.plan.release.view import ReleaseView

_NAMES_SHOWN = 5


def config_digest(config: Secret) -> str:
    """Return a short name for the values of a config; it is kept only on Secrets."""
    text = json.dumps(config.config_vars, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan_snapshot(view: ReleaseView, app: App) -> tuple[Write, ...]:
    """Return the snapshot that a release lacks."""
    source = view.config_source
    if view.snapshot is not None or source is None or view.over:
        return ()
    name = view.release.config
    marks = {**child_labels(app.meta, SNAPSHOT), labels.RELEASE: label_value(name)}
    notes = _seen(view)
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": child_metadata(name, (RELEASES, view.release.meta), marks, notes),
        "type": "Opaque",
        "immutable": True,
    }
    copied = Copy(source.meta, tuple(sorted(source.config_vars)))
    return (Create(SECRETS, body, copied=copied),)


def _seen(view: ReleaseView) -> dict[str, str] | None:
    """Return the note of the config, while it still is the one that the release was made beside."""
    made_at = view.release.meta.annotations.get(labels.CONFIG_VERSION)
    if view.config is None or view.config.meta.resource_version != made_at:
        return None
    return {labels.CONFIG_SEEN: config_digest(view.config)}


def is_covered(config: Secret, newest: Secret) -> bool:
    """Return whether the newest snapshot is of this config, or has left it aside knowingly."""
    if config.config_vars == newest.config_vars:
        return True
    return newest.meta.annotations.get(labels.CONFIG_SEEN) == config_digest(config)


def describe_change(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return what a config release is called, names only, as Heroku words it.

    >>> describe_change({"A": "1", "B": "1"}, {"B": "2", "C": "3"})
    'Set B, C config vars, Remove A config vars'
    """
    changed = sorted(key for key, value in after.items() if before.get(key) != value)
    removed = sorted(key for key in before if key not in after)
    parts = (_listed("Set", changed), _listed("Remove", removed))
    return ", ".join(part for part in parts if part) or "Config vars as before"


def _listed(verb: str, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    more = len(keys) - _NAMES_SHOWN
    shown = ", ".join(key[:40] for key in keys[:_NAMES_SHOWN])
    return f"{verb} {shown}{f' and {more} more' if more > 0 else ''} config vars"
