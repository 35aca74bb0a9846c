"""``haikube create``, ``haikube destroy`` and ``haikube open``: apps for people without kubectl."""

from __future__ import annotations

import asyncio
import subprocess
import webbrowser
from typing import Any

import click

from haikube.bridge.profile import Login
from haikube.cli.logins import current_login
from haikube.cli.platform import connect


@click.command()
@click.argument("name", required=False)
@click.option("--remote", default="heroku", show_default=True, help="Name of the git remote.")
def create(name: str | None, remote: str) -> None:
    """Create an app and, in a git repository, the remote to push to."""
    login = current_login()
    app = asyncio.run(call("POST", "/apps", _wanted(name, login)))
    base = f"https://{login.bridge}" if login.bridge else login.api
    url = f"{base}/{app['name']}.git"
    click.echo(f"Creating {app['name']}... done", err=True)
    click.echo(f"{app['web_url']} | {url}")
    if _git("rev-parse", "--git-dir") and not _git("remote", "get-url", remote):
        _git("remote", "add", remote, url)
        click.echo(f"Added git remote {remote}. Deploy with: git push {remote} main", err=True)


def _wanted(name: str | None, login: Login) -> dict[str, Any]:
    wanted = {"team": login.namespace}
    return wanted | {"name": name} if name else wanted


@click.command()
@click.argument("name")
@click.option("--confirm", metavar="NAME", help="The app's name, to skip the question.")
def destroy(name: str, confirm: str | None) -> None:
    """Delete an app with all its builds, releases, dynos and bytes."""
    typed = confirm or click.prompt(f"This deletes {name} for good. Type its name to go on")
    if typed != name:
        raise click.ClickException(f"{typed!r} is not {name!r}: nothing was deleted.")
    asyncio.run(call("DELETE", f"/apps/{name}"))
    click.echo(f"Destroying {name}... done", err=True)


@click.command("open")
@click.option("--app", "-a", help="App name; default: the app of the git remote.")
@click.option("--print", "only_print", is_flag=True, help="Print the URL, open nothing.")
def open_app(app: str | None, only_print: bool) -> None:  # noqa: FBT001 - click passes flags so
    """Open the app in a browser."""
    url = asyncio.run(call("GET", f"/apps/{app_name(app)}"))["web_url"]
    click.echo(url)
    if not only_print:
        webbrowser.open(url)


def app_name(given: str | None, remote: str = "heroku") -> str:
    """Return the app that a command is about: named, or that of the git remote."""
    if given:
        return given
    url = _git("remote", "get-url", remote)
    if not url:
        raise click.ClickException(
            "which app? Name it with --app NAME, or run this in a git repository that has "
            f"the remote {remote!r} (haikube create adds it)."
        )
    return url.removesuffix("/").rsplit("/", 1)[-1].removesuffix(".git")


async def call(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the api's answer to one request of the logged-in person."""
    async with connect(current_login()) as platform:
        return await platform.call(method, path, json=body)


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
