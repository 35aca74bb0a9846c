"""Make the namespace of a team, or bring it up to date; what is there already stays."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from haikube.cluster.errors import NotFound
from haikube.cluster.port import Cluster, Json
from haikube.model import labels
from haikube.model.resources import NAMESPACES, TEAM_KINDS
from haikube.team.surroundings import observe_surroundings
from haikube.team.template import Team, team_objects

MANAGER: Final = "haikube-team"
_KINDS: Final = {each.kind: each for each in TEAM_KINDS}


async def prepare_team(cluster: Cluster, folder: Path, team: Team) -> list[Json]:
    """Apply the objects of a team and return them; ``folder`` is ``manifests/extras/team``.

    Raises ``ApiError`` where the caller may not, ``InvalidTeam`` for a name that cannot be.
    """
    objects = team_objects(folder, team, await observe_surroundings(cluster))
    for each in objects:
        await cluster.apply(_KINDS[each["kind"]], each, manager=MANAGER)
    return objects


async def is_team(cluster: Cluster, name: str) -> bool:
    """Return whether a namespace exists and belongs to a team."""
    try:
        found = await cluster.get(NAMESPACES, name)
    except NotFound:
        return False
    return labels.TEAM in found["metadata"].get("labels", {})
