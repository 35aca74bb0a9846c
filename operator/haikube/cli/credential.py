"""``haikube git-credential``: hands git the current token for the platform's own URLs.

git runs it as a credential helper (gitcredentials(7)); it answers for the logged-in api and stays
silent for every other host, so a token never leaves for elsewhere. Most calls only read a file, so
what is needed to renew a token is imported when one has expired.
"""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import click

from haikube.cli.config import Login, load, now

USERNAME = "haikube"


@click.command("git-credential", hidden=True)
@click.argument("operation")
def git_credential(operation: str) -> None:
    """Answer git's question for a username and password."""
    asked = dict(line.split("=", 1) for line in sys.stdin.read().splitlines() if "=" in line)
    if operation != "get":
        return
    login = load()
    api = urlsplit(login.api)
    if (asked.get("protocol"), asked.get("host")) == (api.scheme, api.netloc):
        click.echo(f"username={USERNAME}\npassword={_token(login)}")


def _token(login: Login) -> str:
    if not login.expired(now()):
        return login.token
    from haikube.cli.session import renew  # noqa: PLC0415 - see above: it costs most of a second

    return renew(login).token
