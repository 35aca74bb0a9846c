"""``haikube login``, ``logout``, ``whoami``: become somebody towards a platform.

Nothing is written before the platform has taken the token and said whose it is; what fails after
that is undone, so a failed login leaves one that worked as it was. Every change is printed.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import click

from haikube.bridge import running
from haikube.bridge.authority import authority_file, certificate_file, ensure
from haikube.bridge.key import new_key
from haikube.bridge.profile import (
    FIRST_PORT,
    Login,
    LoginError,
    all_logins,
    config_dir,
    load,
    login_file,
    now,
    save,
)
from haikube.bridge.tokens import obtain, revoke, words
from haikube.cli import gitconfig, netrc
from haikube.cli.environment import renew_bundles
from haikube.cli.files import Changes
from haikube.cli.kubeconfig import default_kubeconfig
from haikube.cli.logins import current_login, local_api, profile_option, saved
from haikube.cli.platform import connect
from haikube.cli.team import ensure_team
from haikube.cluster.errors import ApiError

_LEGACY = "login.json"
"""The file of earlier versions, which knew one platform."""


@click.command()
@click.argument("url", default="")
@click.option("--kubeconfig", default="", help="Default: $KUBECONFIG, ~/.kube/config, make up's.")
@click.option("--namespace", "-n", default="default", show_default=True, help="Your team.")
@click.option("--service-account", default="developer", show_default=True, help="Acts for you.")
@click.option("--ca-file", default="", help="CA certificate of an https api.")
@click.option("--token-file", default="", metavar="FILE", help="Use this token: for CI.")
@click.option("--port", default=0, metavar="PORT", help="Of the bridge; default: a free one.")
@click.option("--no-bridge", is_flag=True, help="For git and haikube alone: for CI.")
@click.option("--insecure", is_flag=True, help="Send the token over http to another machine.")
@profile_option
def login(  # noqa: PLR0917 - click passes what the options say
    url: str,
    kubeconfig: str,
    namespace: str,
    service_account: str,
    ca_file: str,
    token_file: str,
    port: int,
    profile: str,
    *,
    no_bridge: bool,
    insecure: bool,
) -> None:
    """Log in to the platform whose api is at URL, and let git and the Heroku CLI use it.

    Without a URL it is the local cluster of this machine.
    """
    before = _before(profile)
    wanted = Login(
        api=_api(url, insecure=insecure),
        token=Path(token_file).read_text().strip() if token_file else "",
        expires_at="",
        namespace=namespace,
        kubeconfig="" if token_file else str(Path(kubeconfig or default_kubeconfig()).absolute()),
        service_account="" if token_file else service_account,
        ca_file=str(Path(ca_file).absolute()) if ca_file else "",
        port=0 if no_bridge else _port(profile, port, before),
        key=before.key if before and before.key else new_key(),
    )
    made = asyncio.run(_proven(_with_grant(wanted, before)))
    try:
        made = _commit(profile, made, before, may_move=not port)
    except (running.NotStarted, LoginError) as error:
        raise click.ClickException(f"{error} Nothing was changed.") from error
    click.echo(f"Logged in to {made.api} as {made.account}")
    if made.port:
        click.echo('For the Heroku CLI, once in your shell\'s profile: eval "$(haikube env)"')


@click.command()
@profile_option
def logout(profile: str) -> None:
    """Undo a login: stop the bridge, end the tokens, clean git's configuration and ~/.netrc."""
    login = saved(profile)
    _end_tokens(login)
    if running.stop(login):
        click.echo(f"Stopped the bridge on {login.bridge}", err=True)
    if login.bridge and netrc.drop(login.bridge):
        click.echo(f"Removed machine {login.bridge} from {netrc.netrc_file()}", err=True)
    login_file(profile).unlink(missing_ok=True)
    rest = [each for _, each in all_logins()]
    if gitconfig.write(rest):
        click.echo(f"Cleaned {gitconfig.global_file()}", err=True)
    if not rest:
        for path in (authority_file(), certificate_file()):
            path.unlink(missing_ok=True)
        renew_bundles()
    click.echo(f"Logged out of {login.api}")


@click.command()
def whoami() -> None:
    """Say who the platform takes you for."""
    click.echo(asyncio.run(_account(current_login())))


def _api(url: str, *, insecure: bool) -> str:
    """Return the URL of an api; a token goes unencrypted over loopback alone.

    Without a scheme it is https, but on this machine, where nothing has a certificate.
    """
    url = url or local_api()
    if "://" not in url:
        host = urlsplit(f"//{url}").hostname or ""
        url = f"{'http' if _is_loopback(host) else 'https'}://{url}"
    parts = urlsplit(url)
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise click.ClickException(f"{url!r} is no URL like https://api.apps.example.com")
    if parts.scheme == "http" and not (insecure or _is_loopback(parts.hostname)):
        raise click.ClickException(
            f"over {url} everybody on the way could read your token. Use https://, "
            "or say --insecure if you know the way."
        )
    return f"{parts.scheme}://{parts.netloc}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _before(profile: str) -> Login | None:
    try:
        return load(profile)
    except LoginError:
        return None


def _port(profile: str, wanted: int, before: Login | None) -> int:
    """Return the bridge's port: the wished one, that of before, or the first free one."""
    others = {each.port: name for name, each in all_logins() if name != profile}
    if wanted in others:
        raise click.ClickException(
            f"port {wanted} belongs to the profile {others[wanted]}. To have two platforms side "
            f"by side, name another port; to move, run: haikube logout --profile {others[wanted]}"
        )
    if wanted:
        return wanted
    if before and before.port:
        return before.port
    try:
        return running.free_port(FIRST_PORT, set(others))
    except running.NotStarted as error:
        raise click.ClickException(str(error)) from error


def _with_grant(wanted: Login, before: Login | None) -> Login:
    """Keep the Secret that tokens are bound to, where it is the same account's."""
    return replace(wanted, grant=before.grant) if before and _same(wanted, before) else wanted


def _same(one: Login, other: Login) -> bool:
    return (one.kubeconfig, one.namespace, one.service_account) == (
        other.kubeconfig,
        other.namespace,
        other.service_account,
    )


async def _proven(wanted: Login) -> Login:
    """Return the login with a token that the platform has taken; nothing is written here."""
    try:
        await ensure_team(wanted)
        made = await obtain(wanted)
    except (ApiError, OSError) as error:
        raise click.ClickException(words(error)) from error
    try:
        return replace(made, account=await _account(made))
    except BaseException:
        if made.grant != wanted.grant:
            await revoke(made)
        raise


async def _account(login: Login) -> str:
    async with connect(login) as platform:
        return str((await platform.call("GET", "/account"))["email"])


def _commit(profile: str, made: Login, before: Login | None, *, may_move: bool) -> Login:
    """Write everything or nothing, and return the login as it was written.

    Two logins at once may find the same port free: one of them moves on.
    """
    legacy = config_dir() / _LEGACY
    try:
        with _undoing(profile, legacy):
            said = _write(profile, made, before)
    except running.PortTaken:
        if not may_move:
            raise
        port = running.free_port(made.port + 1, {each.port for _, each in all_logins()})
        return _commit(profile, replace(made, port=port), before, may_move=True)
    for line in said:
        click.echo(line, err=True)
    renew_bundles()
    legacy.unlink(missing_ok=True)
    if before and before.grant and before.grant != made.grant:
        _end_tokens(before)
    return made


@contextmanager
def _undoing(profile: str, *files: Path) -> Iterator[None]:
    """Make everything what it was when what is done within fails."""
    changes = Changes()
    changes.keep(login_file(profile), netrc.netrc_file(), *files)
    changes.keep(gitconfig.global_file(), gitconfig.included_file())
    changes.keep(authority_file(), certificate_file())
    try:
        yield
    except BaseException:
        changes.undo()
        raise


def _write(profile: str, made: Login, before: Login | None) -> list[str]:
    """Write everything and return what a person may want to know of it."""
    moved = before is not None and before.port != made.port
    if before and moved:
        running.stop(before)
        netrc.drop(before.bridge)
    said = [f"Wrote {save(profile, made)}"]
    if made.port and ensure(now()):
        said.append(f"Made a certificate authority of this machine: {authority_file()}")
        running.stop(made)
    if made.port and netrc.put(made.bridge, made.account, made.key):
        said.append(f"Wrote machine {made.bridge} to {netrc.netrc_file()}")
    if gitconfig.write([each for _, each in all_logins()]):
        said.append(f"Let {gitconfig.global_file()} include {gitconfig.included_file()}")
    if made.port and running.start(profile):
        said.append(f"Started the bridge on {made.bridge}, log: {running.log_file(profile)}")
    return said


def _end_tokens(login: Login) -> None:
    """Revoke what a login made; where that fails, say how long it stays good."""
    try:
        if asyncio.run(revoke(login)):
            click.echo("Revoked the tokens of this login", err=True)
    except Exception as error:  # noqa: BLE001 - logging out works without the platform, too
        until = login.expires_at or "it is revoked elsewhere"
        click.echo(f"Warning: the token stays good until {until}: {error}", err=True)
