"""``haikube env`` and ``haikube heroku``: the variables that lead the stock Heroku CLI here.

A shell's profile runs ``haikube env`` at each start, so it imports next to nothing.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from haikube.bridge.profile import DEFAULT, Login, LoginError, config_dir
from haikube.bridge.running import NotStarted, start
from haikube.cli.logins import profile_option, saved

_IN_THE_WAY = ("HEROKU_API_KEY", "HEROKU_GIT_HOST", "HEROKU_ORGANIZATION")
"""Set for Heroku itself, these would lead the CLI astray: a foreign key, a foreign host."""

_NODE_CA, _GIT_CA = "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"
"""The second one, where it is set, beats what git's configuration says of our authority."""
_BUNDLES = {_NODE_CA: "node-ca.pem", _GIT_CA: "git-ca.pem"}
_OURS = (
    "HEROKU_HOST",
    "HEROKU_PARTICLEBOARD_URL",
    "HEROKU_BUILDPACK_REGISTRY_URL",
    "HEROKU_LOGIN_HOST",
    "HEROKU_STATUS_HOST",
    "HEROKU_DATA_HOST",
    "HEROKU_EXEC_URL",
    "HEROKU_NETRC_WRITE",
    "HEROKU_SKIP_NEW_VERSION_CHECK",
    "DISABLE_TELEMETRY",
    _NODE_CA,
    _GIT_CA,
    "HAIKUBE_PROFILE",
)
"""What a shell is rid of again, logged in or not; NO_PROXY may be the person's own."""

_MARK = "# haikube added its own authority to: "
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")
_LOOPBACK = ("localhost", "127.0.0.1")

Words = Callable[[str, str | None], str]
"""How a shell is told a variable's value, or that it has none."""


@click.command()
@click.option(
    "--shell",
    type=click.Choice(["bash", "zsh", "fish", "sh"]),
    help="Whose words to print; default: the one of $SHELL.",
)
@click.option("--unset", is_flag=True, help="Print how to be rid of the variables.")
@profile_option
def env(shell: str | None, profile: str, *, unset: bool) -> None:
    """Print the variables for the Heroku CLI, and start the bridge if it does not run.

    In the profile of your shell: eval "$(haikube env)", or for fish: haikube env | source
    """
    words = _fish if (shell or Path(os.environ.get("SHELL", "")).name) == "fish" else _posix
    if unset:
        for name in _OURS:
            click.echo(words(name, None))
        return
    wanted = variables(_with_bridge(profile), profile, os.environ)
    gone = [name for name in _IN_THE_WAY if name in os.environ]
    for name, value in (*wanted.items(), *((name, None) for name in gone)):
        click.echo(words(name, value))


@click.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": [],
    },
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def heroku(words: tuple[str, ...]) -> None:
    """Run the Heroku CLI with all variables set."""
    from haikube.bridge.profile import current_profile  # noqa: PLC0415 - name of this shell's

    program = shutil.which("heroku")
    if program is None:
        raise click.ClickException(
            "the Heroku CLI is not on the PATH. Install it: npm install --global heroku"
        )
    profile = current_profile()
    login = _with_bridge(profile)
    mine = {name: value for name, value in os.environ.items() if name not in _IN_THE_WAY}
    os.execve(program, ["heroku", *words], mine | variables(login, profile, os.environ))  # noqa: S606 - no shell is wanted


def _with_bridge(profile: str) -> Login:
    login = saved(profile)
    if not login.port:
        raise click.ClickException(
            "this login has no bridge, which the Heroku CLI needs. Run: haikube login"
        )
    try:
        if start(profile):
            click.echo(f"Started the bridge to {login.api} on {login.bridge}", err=True)
    except (NotStarted, LoginError) as error:
        raise click.ClickException(str(error)) from error
    return login


def variables(login: Login, profile: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the Heroku CLI has to be told, given what is set already."""
    http = f"http://{login.bridge}"
    named = {} if profile == DEFAULT else {"HAIKUBE_PROFILE": profile}
    return {
        "HEROKU_HOST": http,
        "HEROKU_PARTICLEBOARD_URL": http,
        "HEROKU_BUILDPACK_REGISTRY_URL": http,
        "HEROKU_LOGIN_HOST": http,
        "HEROKU_STATUS_HOST": http,
        "HEROKU_DATA_HOST": "localhost",
        "HEROKU_EXEC_URL": f"https://{login.bridge}",
        "HEROKU_NETRC_WRITE": "true",
        "HEROKU_SKIP_NEW_VERSION_CHECK": "true",
        "DISABLE_TELEMETRY": "true",
        _NODE_CA: _authorities(environment.get(_NODE_CA, ""), _BUNDLES[_NODE_CA]),
        **_for_git(environment),
        **named,
        **_around_proxies(environment),
    }


def _around_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return NO_PROXY with loopback in it, where a proxy is set."""
    if not any(environment.get(name) for name in _PROXIES):
        return {}
    said = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    hosts = [host for host in said.split(",") if host]
    hosts += [host for host in _LOOPBACK if host not in hosts]
    return {"NO_PROXY": ",".join(hosts), "no_proxy": ",".join(hosts)}


def _for_git(environment: Mapping[str, str]) -> dict[str, str]:
    given = environment.get(_GIT_CA, "")
    return {_GIT_CA: _authorities(given, _BUNDLES[_GIT_CA])} if given else {}


def _authorities(given: str, name: str) -> str:
    """Return a file with our authority and those that the person had named already."""
    ours, bundle = config_dir() / "tls" / "ca.pem", config_dir() / "tls" / name
    if given == str(bundle) and bundle.exists():
        given = bundle.read_text().partition("\n")[0].removeprefix(_MARK)
    if given in {"", str(ours)} or not Path(given).is_file():
        return str(ours)
    _bundle(bundle, given, ours)
    return str(bundle)


def renew_bundles() -> None:
    """Follow a login or a logout in the files that open shells have named already.

    Without them git reaches no host at all, and what the person had named would be forgotten.
    """
    ours = config_dir() / "tls" / "ca.pem"
    for bundle in _bundles():
        given = bundle.read_text().partition("\n")[0].removeprefix(_MARK)
        if Path(given).is_file():
            _bundle(bundle, given, ours)


def _bundles() -> list[Path]:
    """Return the files that hold a person's own authorities beside ours."""
    named = (config_dir() / "tls" / name for name in _BUNDLES.values())
    return [bundle for bundle in named if bundle.is_file()]


def _bundle(bundle: Path, given: str, ours: Path) -> None:
    added = ours.read_text() if ours.exists() else ""
    text = f"{_MARK}{given}\n{Path(given).read_text()}\n{added}"
    if not bundle.exists() or bundle.read_text() != text:
        bundle.write_text(text)


def _posix(name: str, value: str | None) -> str:
    return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str | None) -> str:
    if value is None:
        return f"set --erase {name}"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set --global --export {name} '{escaped}'"
