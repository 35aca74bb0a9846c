"""What a person does with an app in every language, on the cluster: push it, see it, push it again.

A journey asserts only what has to hold for it to go on; the tests judge what it saw. It must never
reach into the platform where a person could not.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from terminal import Workspace, eventually

POLITE = frozenset({0, 128 + signal.SIGTERM})
"""Exit codes of a dyno that ended by itself when it was told to; a killed one has another."""

_EXIT_CODE = '{.status.containerStatuses[0].state.terminated.exitCode}{"\\n"}'


@dataclass(frozen=True, slots=True)
class Pushed:
    """One push: what the person read, how long it took, and how long its build of that."""

    log: str
    seconds: float
    build_seconds: float

    @property
    def version(self) -> int:
        """Return the number of the release that the push tells of."""
        return int(re.findall(r"Released v(\d+)", self.log)[-1])


@dataclass(frozen=True, slots=True)
class Ended:
    """How the last dyno ended when the app was scaled to nothing."""

    exit_code: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Journey:
    """All that was seen of one app, from its first push to its end."""

    heading: ClassVar[str] = (
        f"{'first s':>7} {'again s':>7} {'ratio':>6} {'build s':>7} {'again s':>7} {'ratio':>6} "
        f"{'slug MB':>8} {'cached':>6} {'http':>4} {'exit':>4} {'stop s':>6}"
    )

    first: Pushed
    again: Pushed
    cached: bool
    status: int
    body: str
    command: str
    slug_bytes: int
    ended: Ended

    def row(self) -> str:
        """Return one line for the table of a test run."""
        return (
            f"{_pair(self.first.seconds, self.again.seconds)} "
            f"{_pair(self.first.build_seconds, self.again.build_seconds)} "
            f"{self.slug_bytes / 1e6:8.1f} {'yes' if self.cached else 'NO':>6} "
            f"{self.status:4d} {self.ended.exit_code:4d} {self.ended.seconds:6.1f}"
        )


@dataclass(frozen=True, slots=True)
class CacheSign:
    """By what a person can tell from two logs that the second build used the first one's work."""

    reused: str = ""
    once: str = ""

    def seen(self, first: str, again: str) -> bool:
        """Tell whether the cache was used, and whether there was none before."""
        said = not self.reused or (self.reused in again and self.reused not in first)
        spared = not self.once or (self.once in first and self.once not in again)
        return said and spared


def walk(app: Workspace, sign: CacheSign, *, path: str = "/", secure: bool = False) -> Journey:
    """Take a committed app all the way and delete it."""
    first = _push(app)
    eventually(lambda: app.fetch(path, secure=secure)[0] == 200, "the first 200")
    app.git("commit", "-q", "--allow-empty", "-m", "nothing changed")
    again = _push(app)
    assert again.version == first.version + 1, again.log
    status, body = app.fetch(path, secure=secure)
    journey = Journey(
        first=first,
        again=again,
        cached=sign.seen(first.log, again.log),
        status=status,
        body=body,
        command=_web(app)["status"]["command"],
        slug_bytes=_slug_bytes(app),
        ended=_scale_to_nothing(app),
    )
    app.person.haikube("destroy", app.app, "--confirm", app.app)
    eventually(app.is_gone, "everything of the app gone")
    return journey


def _pair(first: float, again: float) -> str:
    return f"{first:7.1f} {again:7.1f} {again / first:6.2f}"


def _push(app: Workspace) -> Pushed:
    started = time.monotonic()
    with app.start_push() as push:
        assert push.stdout is not None
        read = [(line, time.monotonic()) for line in push.stdout]
    log = "".join(line for line, _ in read)
    assert push.returncode == 0, log
    built = _when(read, "-----> Launching...") - _when(read, "Building source:")
    return Pushed(log, time.monotonic() - started, built)


def _when(read: list[tuple[str, float]], sign: str) -> float:
    return next(when for line, when in read if sign in line)


def _web(app: Workspace) -> dict[str, Any]:
    formation = app.person.get("formation", f"{app.app}-web")
    assert formation is not None, "no formation named web"
    return formation


def _slug_bytes(app: Workspace) -> int:
    builds = app.person.items("builds", app.app)
    return max(int(build["status"]["slug"]["sizeBytes"]) for build in builds)


def _scale_to_nothing(app: Workspace) -> Ended:
    """Scale the web dynos away and watch the last one end; its pod is gone afterwards."""
    pod = eventually(lambda: _only_web_pod(app), "the dyno of the last release alone")
    with _exit_codes(app, pod) as printed:
        started = time.monotonic()
        app.person.kubectl("scale", f"formation/{app.app}-web", "--replicas=0")
        app.person.kubectl("wait", "--for=delete", f"pod/{pod}", "--timeout=60s")
        seconds = time.monotonic() - started
    codes = [line for line in printed if line]
    assert codes, f"the end of {pod} was not seen"
    return Ended(int(codes[-1]), seconds)


def _only_web_pod(app: Workspace) -> str | None:
    pods = [pod["metadata"]["name"] for pod in app.person.items("pods", app.app) if _is_web(pod)]
    return pods[0] if len(pods) == 1 else None


def _is_web(pod: dict[str, Any]) -> bool:
    metadata = pod["metadata"]
    kind = metadata["labels"].get("haikube.dev/process-type")
    return kind == "web" and "deletionTimestamp" not in metadata


@contextmanager
def _exit_codes(app: Workspace, pod: str) -> Iterator[list[str]]:
    """Watch a pod while the context lasts; the list then has a line for each change of it."""
    watch = subprocess.Popen(
        ["kubectl", "get", "pod", pod, "--watch", "-o", f"jsonpath={_EXIT_CODE}"],
        env=app.person.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    printed: list[str] = []
    try:
        yield printed
    finally:
        watch.terminate()
        printed += watch.communicate()[0].splitlines()
