"""One module per resource: its endpoints and what they do."""

from __future__ import annotations

from typing import Final

from haikube.api.rooms import (
    account,
    apps,
    authorizations,
    automatic,
    buildpacks,
    builds,
    certificates,
    collaborators,
    config,
    domains,
    drains,
    dynos,
    features,
    formation,
    launches,
    logs,
    none,
    paths,
    releases,
    runs,
    sources,
    stacks,
    status,
    teams,
    transfers,
    webhooks,
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
    launches.room,
    drains.room,
    logs.room,
    sources.room,
    paths.room,
    domains.room,
    certificates.room,
    automatic.room,
    buildpacks.room,
    features.room,
    stacks.room,
    teams.room,
    collaborators.room,
    transfers.room,
    webhooks.room,
    authorizations.room,
    status.room,
    none.room,
)
"""In the order in which a request is matched; the platform's refusals come last."""
