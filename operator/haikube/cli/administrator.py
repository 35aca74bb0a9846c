"""What an administrator of the cluster asks it, by a kubeconfig of one's own.

Never with the login of a person who deploys: their rights end at their team.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from haikube.cli.kubeconfig import default_kubeconfig
from haikube.cluster.errors import ApiError
from haikube.cluster.http import HttpCluster
from haikube.cluster.identity import load as load_credentials

T = TypeVar("T")

kubeconfig_option = click.option(
    "--kubeconfig", default="", help="Default: $KUBECONFIG, ~/.kube/config, make up's."
)


def ask_cluster(kubeconfig: str, question: Callable[[HttpCluster], Awaitable[T]], made: str) -> T:
    """Return what the cluster answers; ``made`` is what only an administrator makes, "Teams".

    Raises ``ClickException`` with the cluster's own refusal and the remedy.
    """

    async def run() -> T:
        credentials = load_credentials(kubeconfig or default_kubeconfig())
        async with HttpCluster(credentials, user_agent="haikube-cli") as cluster:
            return await question(cluster)

    try:
        return asyncio.run(run())
    except ApiError as error:
        raise click.ClickException(
            f"{error.message}. {made} are made by an administrator of the cluster; "
            "name another kubeconfig with --kubeconfig FILE."
        ) from error
