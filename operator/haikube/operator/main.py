"""The command line of the operator: run it, or sweep the storage once."""

from __future__ import annotations

import asyncio
import sys

import click

from haikube.cluster.errors import ApiError
from haikube.cluster.http import HttpCluster
from haikube.cluster.identity import load
from haikube.operator.logs import configure_logs
from haikube.operator.preflight import NotReadyToStart
from haikube.operator.process import Process
from haikube.operator.sweep import Sweeper
from haikube.settings import Settings, read_settings
from haikube.storage.port import StorageError
from haikube.storage.s3 import S3Storage


async def run_operator(settings: Settings) -> None:
    """Run one operator process."""
    credentials = load()
    async with HttpCluster(credentials, user_agent="haikube-operator") as cluster:
        await Process(settings, credentials, cluster, S3Storage(settings)).run()


async def run_sweep(settings: Settings, *, dry_run: bool) -> None:
    """Sweep the storage once and print every dead object."""
    async with HttpCluster(load(), user_agent="haikube-operator") as cluster:
        sweeper = Sweeper(cluster, S3Storage(settings), grace=settings.sweep_grace)
        dead = await sweeper.run(dry_run=dry_run)
    for each in dead:
        click.echo(f"{each.size:>12} {each.modified:%F %T} {each.key}")
    verb = "would be deleted" if dry_run else "deleted"
    click.echo(f"{len(dead)} objects, {sum(each.size for each in dead):,} bytes {verb}")


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Run the operator."""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings("haikube-operator")
    configure_logs(settings.log_level)
    try:
        asyncio.run(run_operator(settings))
    except NotReadyToStart as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except ApiError as error:
        click.echo(f"haikube-operator: the API server refused: {error}", err=True)
        sys.exit(1)


@main.command("sweep")
@click.option("--dry-run", is_flag=True, help="Only print what would be deleted.")
def sweep_command(*, dry_run: bool) -> None:
    """Delete objects of the storage that nothing refers to any more."""
    settings = read_settings("haikube-operator")
    configure_logs(settings.log_level)
    try:
        asyncio.run(run_sweep(settings, dry_run=dry_run))
    except (ApiError, StorageError) as error:
        click.echo(f"haikube-operator: the sweep was broken off: {error}", err=True)
        sys.exit(1)
