"""The command line of the operator: run it, or sweep the storage once."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import click
import uvloop

from haikube.cluster.errors import ApiError
from haikube.cluster.http import HttpCluster
from haikube.cluster.identity import load
from haikube.operator.adopt import adopt
from haikube.operator.logs import configure_logs
from haikube.operator.preflight import NotReadyToStart
from haikube.operator.process import Process
from haikube.operator.sweep import Sweeper, mercy
from haikube.settings import Settings, read_settings
from haikube.storage.port import StorageError
from haikube.storage.runtime import keep_runtime
from haikube.storage.s3 import S3Storage

_LAST_WORD = Path("/dev/termination-log")


async def run_operator(settings: Settings) -> None:
    """Run one operator process."""
    credentials = load()
    async with HttpCluster(credentials, user_agent="haikube-operator") as cluster:
        storage = S3Storage(settings)
        await Process(settings, credentials, cluster, storage, _own_connection).run()


def _own_connection() -> HttpCluster:
    """Return another connection, for a thread of its own."""
    return HttpCluster(load(), user_agent="haikube-operator")


async def run_sweep(settings: Settings, *, dry_run: bool) -> None:
    """Sweep the storage once and print every dead object."""
    async with HttpCluster(load(), user_agent="haikube-operator") as cluster:
        sweeper = Sweeper(cluster, S3Storage(settings), mercy=mercy(settings))
        found = await sweeper.run(dry_run=dry_run)
    for each in found.dead:
        click.echo(f"{each.size:>12} {each.modified:%F %T} {each.key}")
    for mark, since in sorted(found.seen.items()):
        click.echo(f"{'unused since':>12} {since} {mark}")
    verb = "would be deleted" if dry_run else "deleted"
    size = sum(each.size for each in found.dead)
    click.echo(f"{len(found.dead)} objects, {size:,} bytes {verb}; {found.waiting} wait their turn")


async def run_claim(settings: Settings) -> None:
    """Take the bucket over for this cluster."""
    async with HttpCluster(load(), user_agent="haikube-operator") as cluster:
        mine = await Sweeper(cluster, S3Storage(settings), mercy=mercy(settings)).claim()
    click.echo(f"The bucket {settings.storage_bucket} belongs to cluster {mine} now.")


async def run_keep_runtime(settings: Settings, stack: str, runtime: str, archive: Path) -> None:
    """Store a runtime of a stack."""
    said = json.dumps(await keep_runtime(S3Storage(settings), stack, runtime, archive))
    await asyncio.to_thread(_LAST_WORD.write_text, said, "utf-8")
    click.echo(said)


async def run_adopt(settings: Settings, uid: str, namespace: str, name: str) -> None:
    """Give an app the bytes of another uid."""
    async with HttpCluster(load(), user_agent="haikube-operator") as cluster:
        count = await adopt(cluster, S3Storage(settings), uid, namespace, name)
    click.echo(f"{count} objects of {uid} copied to {namespace}/{name}.")


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Run the operator."""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings("haikube-operator")
    configure_logs(settings.log_level)
    try:
        uvloop.run(run_operator(settings))
    except NotReadyToStart as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except ApiError as error:
        click.echo(f"haikube-operator: the API server refused: {error}", err=True)
        sys.exit(1)


def _once(work: Callable[[Settings], Coroutine[None, None, None]]) -> None:
    """Do one thing with cluster and storage, and say in a line why it could not be done."""
    settings = read_settings("haikube-operator")
    configure_logs(settings.log_level)
    try:
        asyncio.run(work(settings))
    except (ApiError, StorageError) as error:
        click.echo(f"haikube-operator: broken off: {error}", err=True)
        sys.exit(1)


@main.command("sweep")
@click.option("--dry-run", is_flag=True, help="Only print what would be deleted.")
def sweep_command(*, dry_run: bool) -> None:
    """Delete objects of the storage that nothing refers to any more, after their days of grace."""
    _once(lambda settings: run_sweep(settings, dry_run=dry_run))


@main.command("claim")
def claim_command() -> None:
    """Let this cluster delete objects of the bucket; all days of grace begin anew."""
    _once(run_claim)


@main.command("keep-runtime")
@click.argument("stack")
@click.argument("runtime")
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def keep_runtime_command(stack: str, runtime: str, archive: Path) -> None:
    """Store what was made from source for a stack; its digest is the container's last word."""
    _once(lambda settings: run_keep_runtime(settings, stack, runtime, archive))


@main.command("adopt")
@click.argument("uid")
@click.argument("app", metavar="NAMESPACE/APP")
def adopt_command(uid: str, app: str) -> None:
    """Copy repository, slugs and caches that are stored under UID to an app."""
    namespace, _, name = app.partition("/")
    if not name:
        raise click.UsageError(f"{app!r} is not like team-blue/shop")
    _once(lambda settings: run_adopt(settings, uid, namespace, name))
