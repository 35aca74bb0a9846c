"""Ada at her terminal: the stock Heroku CLI, git, ``haikube login``, and a home of her own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from heroku.steps import Printed, Step
from terminal import (
    CACHE,
    GATEWAY,
    KUBECONFIG,
    OPERATOR_ROOT,
    eventually,
    kubectl_folder,
    write_commands,
)

CLIENTS = CACHE / "heroku" / "node_modules"
_PATIENCE = 240
_PAUSE = 0.5


@dataclass
class Ada:
    """Somebody who is logged in, with the bridge running."""

    home: Path
    environment: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        *words: str,
        cwd: Path | None = None,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
    ) -> Printed:
        """Run a program and return what it printed."""
        done = subprocess.run(
            words,
            cwd=cwd or self.home,
            env=self.environment | dict(env or {}),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        return Printed(done.returncode, done.stdout, done.stderr)

    def must(self, *words: str, cwd: Path | None = None) -> str:
        """Run a program that has to succeed."""
        printed = self.run(*words, cwd=cwd)
        assert printed.code == 0, f"{words}\n{printed.out}\n{printed.err}"
        return printed.out

    def logged(self, text: str) -> bool:
        """Tell whether a line is in the log of her app."""
        said = self.must("heroku", "logs", "-a", self.names["app"], "-n", "1500")
        return any(line.endswith(f": {text}") for line in said.splitlines())

    def version(self) -> str:
        """Return the current release of her app."""
        said = self.must("heroku", "releases:info", "--json", "-a", self.names["app"])
        return f"v{json.loads(said)['version']}"

    def dynos(self) -> dict[str, str]:
        """Return what `heroku ps` says of each web dyno of her app: its state and release."""
        said = json.loads(self.must("heroku", "ps", "--json", "-a", self.names["app"]))
        return {
            each["name"]: f"{each['state']} v{each['release']['version']}"
            for each in said
            if each["type"] == "web"
        }

    def settle(self) -> str:
        """Wait until one web dyno of the current release is all there is; returns its version."""
        version = self.version()
        self.sees({"web.1": f"up {version}"})
        return version

    def sees(self, wanted: Mapping[str, str]) -> None:
        """Wait until her web dynos are so, and no others are there."""
        seen: list[dict[str, str]] = []

        def look() -> bool:
            seen.append(self.dynos())
            return seen[-1] == wanted

        try:
            eventually(look, f"{wanted}")
        except AssertionError as error:
            raise AssertionError(f"{error}, but {seen[-5:]}") from None

    def play(self, step: Step, cwd: Path) -> str:
        """Type a step; return in words what was not as expected, empty when all was."""
        if unknown := [name for name in step.needs if name not in self.names]:
            return f"heroku {step.types}: no earlier step printed {', '.join(unknown)}"
        typed = [word.format_map(self.names) for word in shlex.split(step.types)]
        typed += [word.format_map(self.names) for word in step.words]
        stdin = step.stdin.format_map(self.names)
        end = time.monotonic() + step.patience
        while True:
            printed = self.run("heroku", *typed, cwd=cwd, stdin=stdin, env=step.env)
            faults = printed.faults(step, self.names)
            if not faults:
                self.names |= printed.kept(step)
                return ""
            if time.monotonic() > end:
                said = f"{printed.out}{printed.err}".strip()
                return f"heroku {shlex.join(typed)}: {'; '.join(faults)}\n{said}\n"
            time.sleep(_PAUSE)


@contextmanager
def logged_in(home: Path) -> Iterator[Ada]:
    """Log in with the bridge on a free port, and out again."""
    commands = write_commands(home)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HEROKU_", "HAIKUBE_PROFILE"))
        and name not in {"SSL_CERT_FILE", "SSL_CERT_DIR"}  # the CLI warns of them in each command
    }
    environment |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_STATE_HOME": str(home / ".state"),
        "XDG_DATA_HOME": str(home / ".data"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_TERMINAL_PROMPT": "0",
        "KUBECONFIG": str(KUBECONFIG),
        "PYTHONPATH": str(OPERATOR_ROOT),
        "PATH": f"{commands}:{kubectl_folder()}:{CLIENTS / '.bin'}:{os.environ['PATH']}",
        "COLUMNS": "200",
        "SHELL": "/bin/bash",
    }
    ada = Ada(home, environment)
    terms = home / ".cache" / "heroku" / "terms-of-service"
    terms.parent.mkdir(parents=True)
    terms.touch()
    for key, value in {
        "user.name": "Ada",
        "user.email": "ada@example.org",
        "init.defaultBranch": "main",
    }.items():
        ada.must("git", "config", "--global", key, value)
    ada.must("haikube", "login", f"http://api.localhost:{GATEWAY[1]}")
    try:
        ada.environment |= _variables(ada)
        yield ada
    finally:
        ada.must("haikube", "logout")


def _variables(ada: Ada) -> dict[str, str]:
    """Return what the shell has after ``eval "$(haikube env)"``."""
    listed = ada.must("bash", "-c", 'eval "$(haikube env)" && env -0')
    pairs = (line.partition("=") for line in listed.split("\0") if line)
    return {name: value for name, _, value in pairs}
