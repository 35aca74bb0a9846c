"""``haikube deploy`` and ``haikube builds``: a build without git, and what builds printed."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import click

from haikube.cli.apps import app_name, call
from haikube.cli.archive import write_archive
from haikube.cli.logins import current_login
from haikube.cli.platform import Platform, connect
from haikube.model.screen import clean

app_option = click.option("--app", "-a", help="App name; default: the app of the git remote.")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@app_option
@click.option("--version", default="", help="What to call this version; default: none.")
def deploy(folder: Path, app: str | None, version: str) -> None:
    """Build and release the files of FOLDER."""
    name = app_name(app)
    with tempfile.TemporaryFile() as archive:
        count = write_archive(folder, archive)
        size = archive.tell()
        archive.seek(0)
        click.echo(f"Uploading {count} files, {size / 1e6:.1f} MB, to {name}...", err=True)
        build = asyncio.run(_deploy(name, archive, version))
    if build["status"] != "succeeded":
        raise click.ClickException(_why(name, build))
    if build["released"] == "failed":
        raise click.ClickException(f"the release command of v{build['release_version']} failed.")


def _why(app: str, build: dict[str, Any]) -> str:
    """Return why there is no release, and where to read more."""
    reason = (build.get("failure") or {}).get("message") or build["status"]
    return clean(f"{reason}\n !     Log: haikube builds logs {build['name']} --app {app}")


async def _deploy(app: str, archive: BinaryIO, version: str) -> dict[str, Any]:
    async with connect(current_login()) as platform:
        return await deploy_archive(platform, app, archive, version)


async def deploy_archive(
    platform: Platform, app: str, archive: BinaryIO, version: str
) -> dict[str, Any]:
    """Upload a tarball, build and release it as a push does; returns how the build ended.

    ``released`` in it is the status of its release.
    """
    source = (await platform.call("POST", f"/apps/{app}/sources"))["source_blob"]
    await platform.call("PUT", source["put_url"], data=archive)
    blob = {"url": source["get_url"], "version": version}
    build = await platform.call("POST", f"/apps/{app}/builds", json={"source_blob": blob})
    await _follow(platform, build["output_stream_url"])
    await _follow(platform, f"/apps/{app}/builds/{build['id']}/launch")
    ended = await platform.call("GET", f"/apps/{app}/builds/{build['id']}")
    number = ended.get("release_version")
    release = await platform.call("GET", f"/apps/{app}/releases/{number}") if number else {}
    return {**ended, "released": release.get("status")}


async def _follow(platform: Platform, path: str) -> None:
    async for line in platform.lines(path):
        click.echo(line, nl=False)


@click.group(invoke_without_command=True)
@click.pass_context
def builds(ctx: click.Context) -> None:
    """List builds, read their logs, cancel them, purge their cache."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_builds, app=None)


@builds.command("list")
@app_option
def list_builds(app: str | None) -> None:
    """List the builds of an app, newest first."""
    answer = asyncio.run(call("GET", f"/apps/{app_name(app)}/builds"))
    for build in answer["items"]:
        version = build.get("source_blob", {}).get("version") or ""
        line = f"{build['id']}  {build['status']:<10} {build['created_at']}  {version}"
        click.echo(clean(line))


@builds.command()
@click.argument("build", required=False)
@app_option
def logs(build: str | None, app: str | None) -> None:
    """Print the log of BUILD (default: the newest), and follow it while it runs."""
    asyncio.run(_print_log(app_name(app), build))


async def _print_log(app: str, build: str | None) -> None:
    async with connect(current_login()) as platform:
        if build is None:
            answer = await platform.call("GET", f"/apps/{app}/builds")
            if not answer["items"]:
                raise click.ClickException(f"{app} has no build yet: git push heroku main")
            build = answer["items"][0]["id"]
        await _follow(platform, f"/apps/{app}/builds/{build}/log")


@builds.command("purge-cache")
@app_option
def purge_cache(app: str | None) -> None:
    """Let the next build start with an empty cache."""
    name = app_name(app)
    asyncio.run(call("DELETE", f"/apps/{name}/build-cache"))
    click.echo(f"Purging the build cache of {name}... done", err=True)


@builds.command()
@click.argument("build")
@app_option
def cancel(build: str, app: str | None) -> None:
    """Stop a build that is waiting or running."""
    asyncio.run(call("DELETE", f"/apps/{app_name(app)}/builds/{build}"))
    click.echo(f"Canceling {build}... done", err=True)
