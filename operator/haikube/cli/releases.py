"""``haikube releases``: what Heroku's own command has no word for.

A release command can fail for a reason outside the app: a database that was away, a full queue. It
is run again for the same release, without another build.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import click

from haikube.cli.apps import app_name, call
from haikube.cli.logins import current_login
from haikube.cli.platform import Platform, connect
from haikube.model.screen import clean

_PATIENCE: Final = 20.0
_LOOK: Final = 0.3


@click.group(invoke_without_command=True)
@click.pass_context
def releases(ctx: click.Context) -> None:
    """List releases, run a failed one again; for all else: heroku releases."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_releases, app=None)


@releases.command("list")
@click.option("--app", "-a", help="App name; default: the app of the git remote.")
def list_releases(app: str | None) -> None:
    """List the releases of an app, newest first."""
    found = asyncio.run(call("GET", f"/apps/{app_name(app)}/releases"))["items"]
    for each in sorted(found, key=lambda release: -int(release["version"])):
        mark = "*" if each["current"] else " "
        line = f"{mark} v{each['version']:<4} {each['status']:<10} {each['created_at']}"
        click.echo(clean(f"{line}  {each['description']}  {each['user']['email']}"))


@releases.command()
@click.argument("version", required=False)
@click.option("--app", "-a", help="App name; default: the app of the git remote.")
def retry(version: str | None, app: str | None) -> None:
    """Run the release command of VERSION (default: the newest that failed) again.

    Exit code 1 when it fails once more.
    """
    if not asyncio.run(_retry(app_name(app), version)):
        raise click.ClickException("the release command failed again.")


async def _retry(app: str, version: str | None) -> bool:
    async with connect(current_login()) as platform:
        return await run_again(platform, app, version)


async def run_again(platform: Platform, app: str, version: str | None) -> bool:
    """Run a release phase again and print it; returns whether the release succeeded."""
    release = await _failed(platform, app, version)
    place, name = f"/apps/{app}/releases/{release['version']}", f"v{release['version']}"
    click.echo(f"Running the release command of {name} again...", err=True)
    await platform.call("POST", f"/apps/{app}/releases", json={"slug": release["slug"]["id"]})
    await _begun(platform, place)
    if url := release["output_stream_url"]:
        async for line in platform.lines(url):
            click.echo(line, nl=False)
    status = (await platform.call("GET", place))["status"]
    click.echo(f"Waiting for release... {'done' if status == 'succeeded' else status}.", err=True)
    return bool(status == "succeeded")


async def _failed(platform: Platform, app: str, version: str | None) -> dict[str, Any]:
    """Return the release to run again: the last one of its code, and failed."""
    number = (version or "").removeprefix("v")
    listed: list[dict[str, Any]] = (await platform.call("GET", f"/apps/{app}/releases"))["items"]
    listed = sorted((each for each in listed if each["slug"]), key=lambda each: each["version"])
    chosen = [each for each in listed if str(each["version"]) == number or not number]
    failed = [each for each in chosen if each["status"] == "failed"]
    if not failed:
        raise click.ClickException(
            f"v{number} did not fail." if number else f"no release of {app} failed."
        )
    release = failed[-1]
    last = [each for each in listed if each["slug"] == release["slug"]][-1]
    if last is not release:
        raise click.ClickException(
            f"v{last['version']} has the code of v{release['version']} already, and came later."
        )
    return release


async def _begun(platform: Platform, place: str) -> None:
    """Wait until the release is no longer failed, or for so long that it has failed again."""
    for _ in range(int(_PATIENCE / _LOOK)):
        if (await platform.call("GET", place))["status"] != "failed":
            return
        await asyncio.sleep(_LOOK)
