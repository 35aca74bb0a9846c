"""A person at a terminal, for tests: runs ``haikube``, ``git`` and ``kubectl`` as a user does."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from haikube.local import tools
from haikube.local.paths import Paths

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "haikube"
KUBECONFIG = Path(os.environ.get("KUBECONFIG") or CACHE / "local" / "kubeconfig")
GATEWAY = ("127.0.0.1", int(os.environ.get("HAIKUBE_LOCAL_HTTP_PORT", "8080")))
API = f"http://api.localhost:{GATEWAY[1]}"
SECURE_GATEWAY = ("127.0.0.1", int(os.environ.get("HAIKUBE_LOCAL_HTTPS_PORT", "8443")))
OPERATOR_ROOT = Path(__file__).parents[1] / "operator"
DEADLINE = 180.0
T = TypeVar("T")
_KINDS = "builds,releases,formations,deployments,services,httproutes,jobs,pods,secrets"


def eventually(probe: Callable[[], T | None], what: str, seconds: float = DEADLINE) -> T:
    """Return the first true answer of a probe; the deadline is the cluster's, not a pause."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := probe():
            return answer
        time.sleep(0.25)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


@dataclass(frozen=True)
class Person:
    """A developer at a terminal: own home, own git configuration, logged in."""

    home: Path
    environment: dict[str, str]

    def run(
        self, *words: str, cwd: Path | None = None, check: bool = True, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and return what it printed (both streams in ``stdout``)."""
        done = subprocess.run(
            words,
            cwd=cwd or self.home,
            env=self.environment,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=DEADLINE * 3,
        )
        assert done.returncode == 0 or not check, f"{words}\n{done.stdout}"
        return done

    def haikube(
        self, *words: str, cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run the haikube command of this checkout."""
        return self.run(sys.executable, "-m", "haikube.cli", *words, cwd=cwd, check=check)

    def kubectl(self, *words: str, check: bool = True, stdin: str | None = None) -> str:
        """Run kubectl and return what it printed."""
        return self.run("kubectl", *words, check=check, stdin=stdin).stdout

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return an object, or None where there is none."""
        text = self.kubectl("get", kind, name, "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None

    def items(self, kind: str, app: str) -> list[dict[str, Any]]:
        """Return the objects of a kind that belong to an app."""
        text = self.kubectl("get", kind, "-l", f"haikube.dev/app={app}", "-o", "json")
        return list(json.loads(text)["items"])


@dataclass(frozen=True)
class Workspace:
    """A git repository with a remote to an app of the platform."""

    person: Person
    app: str
    folder: Path

    def git(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run git in the repository."""
        return self.person.run("git", *words, cwd=self.folder, check=check)

    def commit(self, message: str = "change") -> None:
        """Commit everything that is in the folder."""
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def push(self, refspec: str = "main", *, check: bool = True) -> str:
        """Push to the remote named heroku and return what a person saw."""
        return self.git("push", "heroku", refspec, check=check).stdout

    def start_push(self) -> subprocess.Popen[str]:
        """Push in the background; what a person sees can be read as it comes."""
        return subprocess.Popen(
            ["git", "push", "heroku", "main"],
            cwd=self.folder,
            env=self.person.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def begin_push(self) -> subprocess.Popen[str]:
        """Push in the background; returns once the cluster knows of the build."""
        push = self.start_push()
        eventually(lambda: self.person.items("builds", self.app), "the build object")
        return push

    def build_says(self, text: str) -> bool:
        """Tell whether a build of the app has printed that so far."""
        labels = f"haikube.dev/app={self.app},haikube.dev/build"
        return text in self.person.kubectl("logs", "-l", labels, "--tail=-1", check=False)

    def write(self, name: str, text: str) -> None:
        """Write a file of the app."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def configure(self, config: Mapping[str, str]) -> None:
        """Set config vars."""
        patch = json.dumps({"stringData": dict(config)})
        self.person.kubectl("patch", "secret", f"{self.app}-config", "-p", patch)

    def fetch(self, path: str = "/", *, secure: bool = False) -> tuple[int, str]:
        """Return status and body of a request through the real gateway."""
        connection = _connection(secure=secure)
        host = f"{self.app}.localhost:{connection.port}"
        try:
            connection.request("GET", path, headers={"Host": host})
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)
        finally:
            connection.close()

    def answers(self, text: str, path: str = "/") -> bool:
        """Tell whether the app answers 200 with this text."""
        status, body = self.fetch(path)
        return status == 200 and text in body

    @property
    def url(self) -> str:
        """Return where the app answers."""
        return f"http://{self.app}.localhost:{GATEWAY[1]}/"

    def is_gone(self) -> bool:
        """Tell whether nothing that belonged to the app is left in the cluster."""
        return not self.person.items(_KINDS, self.app)


Make = Callable[[str], Workspace]
"""Makes an app whose name starts with the given word."""


@contextmanager
def workspaces(person: Person, folder: Path) -> Iterator[Make]:
    """Make apps with a repository below the folder; all of them are deleted at the end."""
    made: list[str] = []

    def make(stem: str) -> Workspace:
        app = f"{stem}-{secrets.token_hex(3)}"
        repository = folder / app
        repository.mkdir()
        person.run("git", "init", "-q", cwd=repository)
        person.haikube("create", app, cwd=repository)
        made.append(app)
        return Workspace(person, app, repository)

    try:
        yield make
    finally:
        for app in made:
            person.kubectl("delete", "app", app, "--ignore-not-found", "--wait=false")


def _connection(*, secure: bool) -> http.client.HTTPConnection:
    """Return a connection to the gateway; who signed its local certificate is not asked."""
    if not secure:
        return http.client.HTTPConnection(*GATEWAY, timeout=60)
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(*SECURE_GATEWAY, timeout=60, context=trusting)


def kubectl_folder() -> Path:
    """Return the folder of the kubectl that came with the cluster."""
    return tools.wheel_program(Paths.default(), "kubectl").parent


def write_commands(home: Path) -> Path:
    """Return a folder with the haikube command of this checkout, as an installed one."""
    binaries = home / "bin"
    binaries.mkdir(parents=True)
    command = binaries / "haikube"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m haikube.cli "$@"\n')
    command.chmod(0o755)
    return binaries


def log_in(home: Path) -> Person:
    """Return a person with this home, an own git configuration, and a login."""
    binaries = write_commands(home)
    environment = os.environ | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(CACHE.parent),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_TERMINAL_PROMPT": "0",
        "KUBECONFIG": str(KUBECONFIG),
        "PYTHONPATH": str(OPERATOR_ROOT),
        "PATH": f"{binaries}:{kubectl_folder()}:{os.environ['PATH']}",
    }
    someone = Person(home, environment)
    for key, value in {
        "user.name": "Ada",
        "user.email": "ada@example.org",
        "init.defaultBranch": "main",
    }.items():
        someone.run("git", "config", "--global", key, value)
    someone.haikube("login", API, "--no-bridge")
    return someone
