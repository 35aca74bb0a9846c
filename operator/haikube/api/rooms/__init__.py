"""One module per resource: its endpoints and what they do."""

from __future__ import annotations

from typing import Final

from haikube.api.rooms import (
    account,
    apps,
    builds,
    config,
    drains,
    dynos,
    formation,
    logs,
    none,
    paths,
    releases,
    runs,
    sources,
    stacks,
)

ROOMS: Final = (
    account.room,
    apps.room,
    config.room,
    releases.room,
    formation.room,
    dynos.room,
    runs.room,
    builds.room,
    drains.room,
    logs.room,
    sources.room,
    paths.room,
    stacks.room,
    none.room,
)
"""In the order in which a request is matched; the platform's refusals come last."""
