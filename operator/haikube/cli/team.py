"""``haikube team``: namespaces in which people deploy, made by an administrator of the cluster."""

from __future__ import annotations

from pathlib import Path

import click

from haikube.bridge.profile import Login
from haikube.bridge.tokens import credentials_of
from haikube.cli.administrator import ask_cluster, kubeconfig_option
from haikube.cluster.errors import ApiError, Forbidden, NotFound
from haikube.cluster.http import HttpCluster
from haikube.cluster.port import Json
from haikube.local.paths import data_root
from haikube.model import labels
from haikube.model.resources import NAMESPACES
from haikube.team.prepare import prepare_team
from haikube.team.template import InvalidTeam, Team

_MADE = "Teams"


@click.group()
def team() -> None:
    """Make the namespaces of teams, and list them."""


@team.command()
@click.argument("name")
@click.option("--developers", default="", metavar="GROUP", help="Who deploys [NAME-developers].")
@click.option("--viewers", default="", metavar="GROUP", help="Who looks on [NAME-viewers].")
@click.option("--quota", is_flag=True, help="Limit what the team may use; see its ResourceQuota.")
@kubeconfig_option
def create(name: str, developers: str, viewers: str, kubeconfig: str, *, quota: bool) -> None:
    """Make the namespace NAME for a team, or bring it up to date.

    It gets its label, roles for its people, network policies and Pod Security "restricted". Run it
    again when nodes with new networks have joined.
    """
    wanted = Team(name, developers, viewers, quota=quota)
    made = ask_cluster(kubeconfig, lambda cluster: _prepared(cluster, wanted), made=_MADE)
    for each in made:
        click.echo(f"{each['kind']} {each['metadata']['name']}", err=True)
    click.echo(f"Team {name} is ready. Deploy with: haikube login --namespace {name}")


@team.command("list")
@kubeconfig_option
def list_teams(kubeconfig: str) -> None:
    """Print the names of all teams."""
    found = ask_cluster(
        kubeconfig, lambda cluster: cluster.list(NAMESPACES, labels=labels.TEAM), made=_MADE
    )
    for each in found.items:
        click.echo(each["metadata"]["name"])


async def ensure_team(login: Login) -> None:
    """Make the team that somebody logs in to, if they may; else say whom to ask.

    A namespace that is there and no team's stays as it is: it may hold other things.
    """
    if not login.kubeconfig:
        return
    async with HttpCluster(await credentials_of(login), user_agent="haikube-cli") as cluster:
        try:
            found = await cluster.get(NAMESPACES, login.namespace)
        except NotFound:
            await _make(cluster, login.namespace)
        except ApiError:
            return  # who may not look at namespaces may have a team all the same
        else:
            if labels.TEAM not in (found["metadata"].get("labels") or {}):
                raise click.ClickException(
                    f"namespace {login.namespace} is no team's yet. Make it one with: haikube team "
                    f"create {login.namespace}, or log in to another: haikube login -n NAME"
                )


async def _make(cluster: HttpCluster, name: str) -> None:
    try:
        await prepare_team(cluster, template_folder(), Team(name, "", "", quota=False))
    except Forbidden as error:
        raise click.ClickException(
            f"there is no team {name}, and you may not make one. Ask an administrator of the "
            f"cluster for: haikube team create {name}"
        ) from error
    click.echo(f"Made team {name}", err=True)


async def _prepared(cluster: HttpCluster, wanted: Team) -> list[Json]:
    try:
        return await prepare_team(cluster, template_folder(), wanted)
    except InvalidTeam as error:
        raise click.ClickException(str(error)) from error


def template_folder() -> Path:
    """Return the manifests that a team is made of."""
    return data_root() / "manifests" / "extras" / "team"
