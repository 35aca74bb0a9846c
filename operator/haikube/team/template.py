"""The objects of one team: the template with its name, its people and what is around it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Final

import yaml

from haikube.cluster.port import Json
from haikube.model import labels
from haikube.team.surroundings import Network, Surroundings

FILES: Final = ("namespace.yaml", "access.yaml", "networkpolicies.yaml")
LIMITS: Final = "limits.yaml"

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_V4_INTERNET: Final = "0.0.0.0/0"
_V6_INTERNET: Final = IPv6Network("2000::/3")


class InvalidTeam(ValueError):
    """The name of a team cannot be that of a namespace; the message says what can."""


@dataclass(frozen=True, slots=True)
class Team:
    """What a person says about a team; groups are those of the cluster's identity provider."""

    name: str
    developers: str = ""
    viewers: str = ""
    quota: bool = False


def team_objects(folder: Path, team: Team, around: Surroundings) -> list[Json]:
    """Return everything that makes a namespace that of a team, the namespace first."""
    if not _NAME.fullmatch(team.name):
        raise InvalidTeam(
            f"team name {team.name!r} must have 1 to 63 lower case letters, digits and -"
        )
    files = (*FILES, LIMITS) if team.quota else FILES
    return [_of_team(each, team, around) for each in _templates(folder, files)]


def _templates(folder: Path, files: Iterable[str]) -> Iterator[Json]:
    for name in files:
        yield from yaml.safe_load_all((folder / name).read_text())


def _of_team(template: Json, team: Team, around: Surroundings) -> Json:
    made = _placed(template, team.name)
    if made["kind"] == "RoleBinding":
        return {**made, "subjects": _subjects(made, team)}
    if made["kind"] == "NetworkPolicy":
        return {**made, "spec": _surrounded(made["spec"], around)}
    return made


def _placed(template: Json, name: str) -> Json:
    metadata = dict(template["metadata"])
    if template["kind"] == "Namespace":
        metadata["name"] = name
        metadata["labels"] = {**metadata["labels"], labels.TEAM: name}
    else:
        metadata["namespace"] = name
    return {**template, "metadata": metadata}


def _subjects(binding: Json, team: Team) -> list[Json]:
    role = str(binding["metadata"]["name"]).removeprefix("haikube-")
    given = {"developers": team.developers, "viewers": team.viewers}[role]
    return [{**each, "name": given or f"{team.name}-{role}"} for each in binding["subjects"]]


def _surrounded(spec: Mapping[str, Any], around: Surroundings) -> Json:
    """Return a policy whose internet is without the cluster, and which lets its gateway in."""
    made = dict(spec)
    if "egress" in made:
        made["egress"] = [_rule(each, "to", around) for each in made["egress"]]
    if "ingress" in made:
        made["ingress"] = [_from_gateway(each, around) for each in made["ingress"]]
    return made


def _rule(rule: Json, side: str, around: Surroundings) -> Json:
    peers = rule.get(side, ())
    if not any(peer.get("ipBlock", {}).get("cidr") == _V4_INTERNET for peer in peers):
        return rule
    blocks = (_v4(peer, around.networks) for peer in peers)
    return {**rule, side: [*blocks, *_v6(around.networks)]}


def _v4(peer: Json, networks: Iterable[Network]) -> Json:
    block = peer["ipBlock"]
    known = [IPv4Network(each) for each in block["except"]]
    own = [each for each in networks if isinstance(each, IPv4Network)]
    more = [str(each) for each in own if not any(each.subnet_of(one) for one in known)]
    return {"ipBlock": {**block, "except": [*block["except"], *more]}}


def _v6(networks: Iterable[Network]) -> list[Json]:
    """Return the internet of IPv6 where the cluster speaks it: where it does not, none is given."""
    own = [each for each in networks if isinstance(each, IPv6Network)]
    if not own:
        return []
    inside = [str(each) for each in own if each.subnet_of(_V6_INTERNET)]
    return [{"ipBlock": {"cidr": str(_V6_INTERNET), "except": inside}}]


def _from_gateway(rule: Json, around: Surroundings) -> Json:
    peers = rule.get("from", ())
    if not any("namespaceSelector" in peer for peer in peers):
        return rule
    return {**rule, "from": [*peers, *({"ipBlock": {"cidr": str(one)}} for one in around.gateway)]}
