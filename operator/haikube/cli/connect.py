"""``haikube connect``: start and stop the bridge by hand."""

from __future__ import annotations

import asyncio

import click

from haikube.bridge.profile import LoginError
from haikube.bridge.running import NotStarted, answering, log_file, start, stop
from haikube.cli.logins import profile_option, saved


@click.command()
@click.option("--foreground", is_flag=True, help="Serve until Ctrl-C instead.")
@click.option("--stop", "end", is_flag=True, help="Stop the bridge.")
@profile_option
def connect(profile: str, *, foreground: bool, end: bool) -> None:
    """Run the bridge between the Heroku CLI on this machine and the platform.

    It listens on one loopback port. haikube env and haikube login start it when it is not there.
    """
    login = saved(profile)
    if not login.port:
        raise click.ClickException("this login has no bridge. Run: haikube login")
    if end:
        ran = stop(login)
        click.echo(f"The bridge on {login.bridge} {'has stopped' if ran else 'does not run'}")
        return
    try:
        if foreground:
            _serve(profile)
            return
        started = start(profile)
    except (NotStarted, LoginError) as error:
        raise click.ClickException(str(error)) from error
    words = "runs now" if started else "runs already"
    click.echo(f"The bridge to {login.api} {words} on {login.bridge}; log: {log_file(profile)}")


def _serve(profile: str) -> None:
    from haikube.bridge.front import listeners  # noqa: PLC0415 - only the one who serves pays
    from haikube.bridge.main import serve  # noqa: PLC0415 - the same

    login = saved(profile)
    if answering(login):
        raise NotStarted("the bridge runs already. Stop it first: haikube connect --stop")
    click.echo(f"The bridge to {login.api} is {login.bridge}. Ctrl-C ends it.")
    asyncio.run(serve(profile, listeners(login.port)))
