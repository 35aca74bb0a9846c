"""``haikube git-credential``: hands git what the platform's own URLs and the bridge want to see.

git runs it as a credential helper (gitcredentials(7)); it answers for the platforms that somebody
logged in to and stays silent for every other host, so neither a token nor a key leaves for
elsewhere. Most calls only read files, so what is needed to renew a token is imported when one has
expired.
"""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import click

from haikube.bridge.profile import Login, all_logins, now

USERNAME = "haikube"


@click.command("git-credential", hidden=True)
@click.argument("operation")
def git_credential(operation: str) -> None:
    """Answer git's question for a username and password."""
    asked = dict(line.split("=", 1) for line in sys.stdin.read().splitlines() if "=" in line)
    if operation != "get":
        return
    where = (asked.get("protocol", ""), asked.get("host", ""))
    for profile, login in all_logins():
        if secret := _secret(profile, login, where):
            click.echo(f"username={USERNAME}\npassword={secret}")
            return


def _secret(profile: str, login: Login, where: tuple[str, str]) -> str:
    if login.bridge and where == ("https", login.bridge):
        return login.key
    api = urlsplit(login.api)
    if where != (api.scheme, api.netloc):
        return ""
    if login.expires_at and not login.expired(now()):
        return login.token
    from haikube.cli.logins import renewed  # noqa: PLC0415 - see above: it costs a second

    return renewed(profile, login).token if login.kubeconfig else login.token
