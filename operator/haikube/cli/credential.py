"""``haikube git-credential``: hands git the current token for the platform's own URLs.

git runs it as a credential helper (gitcredentials(7)); it answers for the logged-in api and stays
silent for every other host, so a token never leaves for elsewhere.
"""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import click

from haikube.cli.session import current_login

USERNAME = "haikube"


@click.command("git-credential", hidden=True)
@click.argument("operation")
def git_credential(operation: str) -> None:
    """Answer git's question for a username and password."""
    asked = dict(line.split("=", 1) for line in sys.stdin.read().splitlines() if "=" in line)
    if operation != "get":
        return
    login = current_login()
    api = urlsplit(login.api)
    if (asked.get("protocol"), asked.get("host")) == (api.scheme, api.netloc):
        click.echo(f"username={USERNAME}\npassword={login.token}")
