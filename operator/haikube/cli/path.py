"""``haikube path``: which folder of its repository an app is, where one holds several."""

from __future__ import annotations

import asyncio

import click

from haikube.cli.apps import app_name, call


@click.command()
@click.argument("folder", required=False)
@click.option("--app", "-a", help="App name; default: the app of the git remote.")
def path(folder: str | None, app: str | None) -> None:
    """Show or set the FOLDER of the repository that holds the app; "." is its root.

    It counts for the next push, deploy or declared source. The rest of the repository is at hand
    during the build, and stays out of the slug.
    """
    name = app_name(app)
    if folder is None:
        answer = asyncio.run(call("GET", f"/apps/{name}/path"))
        click.echo(answer["path"] or ".")
        return
    wanted = "" if folder.strip("/") == "." else folder
    answer = asyncio.run(call("PUT", f"/apps/{name}/path", {"path": wanted}))
    where = answer["path"] or "the root of the repository"
    click.echo(f"Setting the path of {name} to {where}... done", err=True)
    click.echo("It counts from the next deploy on: git push heroku main", err=True)
