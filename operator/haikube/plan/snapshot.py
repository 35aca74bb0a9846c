"""Config snapshots: the immutable copy of the config vars that one release runs with.

The App's plan makes the snapshot *before* the Release, in one pass, under the Release's name. A
snapshot without Release is what a broken-off pass leaves; the next release uses it as it is, and
if the config is another one by then, one more release follows. The snapshot belongs to the App:
the uid of its Release is not known when it is made; both are pruned together.

A rollback comes the other way round: somebody created a Release with ``rollbackOf``. Its own plan
copies the old snapshot, and notes which config it left aside (``CONFIG_SEEN``), so that this
config does not make a release again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from haikube.model import labels
from haikube.model.intents import Create
from haikube.model.meta import Meta
from haikube.model.resources import APPS, SECRETS
from haikube.model.secret import Secret
from haikube.plan.children import child_labels, child_metadata, label_value

_NAMES_SHOWN = 5
COMPONENT = "config-snapshot"


def config_digest(config: Secret) -> str:
    """Return a short name for the values of a config; it is kept only on Secrets."""
    text = json.dumps(config.config_vars, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def snapshot(app: Meta, release: str, config_vars: Mapping[str, str], *, seen: str = "") -> Create:
    """Return the immutable Secret with the config of one release."""
    marks = {**child_labels(app, COMPONENT), labels.RELEASE: label_value(release)}
    notes = {labels.CONFIG_SEEN: seen} if seen else None
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": child_metadata(release, (APPS, app), marks, notes),
        "type": "Opaque",
        "immutable": True,
        "data": dict(config_vars),
    }
    return Create(SECRETS, body)


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
