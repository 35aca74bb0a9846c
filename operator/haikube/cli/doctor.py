"""``haikube doctor``: what is wrong between this shell and the platform, and the remedy.

Looks at everything that has to be right for the Heroku CLI and git to work here, in the order in
which one thing needs the other. Changes nothing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from haikube.bridge import running
from haikube.bridge.authority import authority_file, usable_until
from haikube.bridge.profile import Login, LoginError, load, login_file, now
from haikube.cli import gitconfig, netrc
from haikube.cli.environment import variables
from haikube.cli.logins import profile_option

_EXPECTED = "heroku/11."
_PRIVATE = 0o077
_GROUP = {"bash": 'eval "$(haikube env)"', "fish": "haikube env | source"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; without a remedy all is well, or to be known only."""

    said: str
    remedy: str = ""
    to_know: bool = False

    @property
    def mark(self) -> str:
        """Return how it is shown."""
        if self.remedy:
            return "✗"
        return "!" if self.to_know else "✓"


@click.command()
@profile_option
def doctor(profile: str) -> None:
    """Say what is wrong with login, bridge, git and shell, and what to do about it."""
    findings = list(examine(profile))
    for finding in findings:
        click.echo(f"{finding.mark} {finding.said}")
        if finding.remedy:
            click.echo(f"    → {finding.remedy}")
    if any(finding.remedy for finding in findings):
        raise click.exceptions.Exit(1)


def examine(profile: str) -> Iterator[Finding]:
    """Yield what was found; stops at what makes the rest meaningless."""
    yield from _programs()
    try:
        login = load(profile)
    except LoginError as error:
        said, _, remedy = str(error).partition(". Run: ")
        yield Finding(said, remedy or "haikube login")
        return
    yield Finding(f"logged in to {login.api} as {login.account or 'somebody'}")
    yield from _private(profile)
    yield _platform(login)
    if not login.port:
        said = "this login has no bridge: git and haikube work, the Heroku CLI does not"
        yield Finding(said, to_know=True)
        return
    for look in (_bridge, _certificate, _netrc, _git):
        yield look(login)
    yield from _shell(login, profile)


def _programs() -> Iterator[Finding]:
    for name, remedy in (
        ("git", "install git"),
        ("haikube", "put haikube on the PATH: git asks it for credentials"),
    ):
        found = shutil.which(name)
        yield Finding(f"{name} is {found}") if found else Finding(f"no {name} on the PATH", remedy)
    yield _heroku()


def _heroku() -> Finding:
    program = shutil.which("heroku")
    install = "npm install --global heroku"
    if program is None:
        return Finding("no heroku on the PATH", install)
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    version = done.stdout.strip() or "does not say its version"
    if _EXPECTED in version:
        return Finding(f"{program} is {version}")
    return Finding(f"{program} is {version}; Haikube is tested with {_EXPECTED}x", install)


def _private(profile: str) -> Iterator[Finding]:
    path = login_file(profile)
    if path.stat().st_mode & _PRIVATE:
        yield Finding(f"others may read {path}", f"chmod 600 {path}; then: haikube login")


def _platform(login: Login) -> Finding:
    from haikube.cli.platform import connect  # noqa: PLC0415 - needed by nothing above

    async def ask() -> str:
        async with connect(login) as platform:
            return str((await platform.call("GET", "/account"))["email"])

    if login.expired(now()):
        said = "the token is past its end; the bridge renews it with the next request"
        return Finding(said, to_know=True)
    try:
        return Finding(f"the platform answers, and takes you for {asyncio.run(ask())}")
    except click.ClickException as error:
        return Finding(error.message, f"if it runs: haikube login {login.api}")


def _bridge(login: Login) -> Finding:
    try:
        pid = running.answering(login)
    except running.NotStarted as error:
        return Finding(str(error), "haikube login --port PORT")
    if pid is None:
        return Finding(f"no bridge on {login.bridge}", "haikube connect")
    return Finding(f"the bridge on {login.bridge} is process {pid}")


def _certificate(login: Login) -> Finding:
    del login
    ends = usable_until(now())
    if ends is None:
        return Finding(f"{authority_file()} is missing, damaged or about to end", "haikube login")
    return Finding(f"the bridge's certificate is good until {ends:%Y-%m-%d}")


def _netrc(login: Login) -> Finding:
    if netrc.password(login.bridge) == login.key:
        return Finding(f"{netrc.netrc_file()} has the key for {login.bridge}")
    return Finding(f"{netrc.netrc_file()} lacks the key for {login.bridge}", "haikube login")


def _git(login: Login) -> Finding:
    url = f"https://{login.bridge}"
    asked: Callable[[str], str] = lambda key: _config(key, url)  # noqa: E731 - short
    if gitconfig.HELPER not in asked("credential.helper").splitlines():
        return Finding(f"git has no helper for {url}", "haikube login")
    if str(authority_file()) not in asked("http.sslCAInfo"):
        return Finding(f"git does not trust {url}", "haikube login")
    return Finding(f"git knows {url}")


def _config(key: str, url: str) -> str:
    done = subprocess.run(
        ["git", "config", "--get-urlmatch", key, url], capture_output=True, text=True, check=False
    )
    return done.stdout


def _shell(login: Login, profile: str) -> Iterator[Finding]:
    wanted = variables(login, profile, os.environ)
    remedy = _GROUP.get(os.path.basename(os.environ.get("SHELL", "")), _GROUP["bash"])  # noqa: PTH119 - a name
    wrong = [name for name, value in wanted.items() if os.environ.get(name) != value]
    if wrong:
        yield Finding(f"this shell lacks {', '.join(wrong)}", f"{remedy}, or: haikube heroku ARGS")
    else:
        yield Finding("this shell has the variables of the Heroku CLI")
    for name in ("HEROKU_API_KEY", "HEROKU_GIT_HOST"):
        if name in os.environ:
            yield Finding(f"{name} is set: the CLI would not use the bridge", f"unset {name}")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if name in os.environ:
            said = f"{name} is set: the Heroku CLI warns of it in each command"
            yield Finding(said, to_know=True)
