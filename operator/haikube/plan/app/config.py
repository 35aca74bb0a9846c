"""The config Secret of an app: made empty with the app, and never again over one that got lost."""

from __future__ import annotations

from haikube.model.intents import Create
from haikube.model.meta import Meta
from haikube.model.release import PENDING
from haikube.model.resources import APPS, SECRETS
from haikube.model.secret import parse_secret
from haikube.plan.children import CONFIG, child_labels, child_metadata
from haikube.plan.world import AppWorld

RETRY = 30.0
"""Seconds until a config Secret that the operator's watch does not see is looked for again."""


def plan_config(world: AppWorld) -> tuple[Create, ...]:
    """Return the empty config of a new app."""
    if not _may_make(world):
        return ()
    app = world.app.meta
    metadata = child_metadata(world.app.config, (APPS, app), child_labels(app, CONFIG))
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
    return (Create(SECRETS, body),)


def with_config(world: AppWorld) -> AppWorld:
    """Return the world as it is once a new app has its config, for its first releases."""
    if world.releases or not (made := plan_config(world)):
        return world
    return world.with_config(parse_secret(made[0].body))


def is_to_come(config: Meta) -> bool:
    """Return whether a config is still to be made: no server has given it a version."""
    return not config.resource_version


def look_again(world: AppWorld) -> float | None:
    """Return when to look for a config that only a person can bring back."""
    return RETRY if world.config is None and not _may_make(world) else None


def _may_make(world: AppWorld) -> bool:
    """Return whether there is no config yet: no release has ever been made with one."""
    if world.config is not None or world.hidden_config:
        return False
    return all(each.result == PENDING for each in world.releases)
