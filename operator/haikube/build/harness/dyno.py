"""Boots a slug as a dyno pod does: run image, process 1, one process type, then a probe."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from haikube.build.harness.rehearsal import DYNO_ID, Stage
from haikube.build.harness.sandbox import Sandbox, first_process, running

BOOT_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.05
_BODY_BYTES: Final = 1 << 20


class BootError(Exception):
    """The dyno ended or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the web process said."""

    status: int
    body: bytes


class Dyno:
    """A dyno that runs; ``port`` is where it should listen."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port

    def get(
        self,
        path: str = "/",
        seconds: float = BOOT_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the first answer to ``path``; raises ``BootError`` when none comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise BootError(f"the process exited with {self._process.returncode} at boot")
            answer = self._try(path, headers or {})
            if answer is not None:
                return answer
            time.sleep(_POLL_SECONDS)
        raise BootError(
            f"Error R10 (Boot timeout): nothing listens on $PORT ({self.port}) after {seconds:g} s"
        )

    def stop(self, seconds: float = 30) -> int:
        """Send SIGTERM as the kubelet does; returns the exit code."""
        inside = first_process(self._process)
        if inside is not None:
            os.kill(inside, signal.SIGTERM)
        return self._process.wait(seconds)

    def wait(self, seconds: float) -> int:
        """Wait for a process that ends by itself; returns its exit code."""
        return self._process.wait(seconds)

    def _try(self, path: str, headers: Mapping[str, str]) -> Answer | None:
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, headers=dict(headers))
        try:
            with urllib.request.urlopen(request, timeout=10) as got:  # noqa: S310 - http, above
                return Answer(got.status, got.read(_BODY_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(_BODY_BYTES))
        except OSError:
            return None


@contextmanager
def booted(
    stage: Stage,
    result: Mapping[str, Any],
    command: str,
    *,
    config: Mapping[str, str] | None = None,
    name: str = "web.1",
    options: Sequence[str] = (),
    fetch: str = "/haikube/fetch",
    output: IO[bytes] | int | None = None,
) -> Iterator[Dyno]:
    """Run ``command`` on the slug of ``result`` while the context lasts.

    ``options`` are more words for process 1, such as ``--grace 5``; ``fetch`` is what fetches the
    slug, with its own words.
    """
    port = _free_port()
    scratch = stage.fresh("dyno")
    binds = _mounted(stage, result["slug"]["digest"], name)
    sandbox = Sandbox(stage.run_rootfs, scratch, writable=True, binds=binds)
    process_type = name.partition(".")[0]
    env = {
        **(config or {}),
        "HOME": "/app",
        "HAIKUBE_PROCESS_TYPE": process_type,
        "HEROKU_RELEASE_VERSION": "v1",
        **({"PORT": str(port)} if process_type == "web" else {}),
    }
    web = ["--web", str(port)] if process_type == "web" else []
    argv = ["/haikube/dyno", *web, *options, "--first", fetch, "--", "/haikube/start", command]
    with running(sandbox, argv, env, output) as process:
        yield Dyno(process, port)


def _mounted(stage: Stage, digest: str, name: str) -> dict[str, Path]:
    mounted = stage.fresh("dyno-files")
    app = mounted / "app"
    app.mkdir()
    if os.geteuid() == 0:
        os.chown(app, DYNO_ID, DYNO_ID)
    else:
        app.chmod(0o777)
    (mounted / "slug").mkdir()
    (mounted / "slug" / "url").write_text(stage.objects.url("slug.tar.zst"), "utf-8")
    (mounted / "slug" / "digest").write_text(digest, "utf-8")
    (mounted / "pod").mkdir()
    (mounted / "pod" / "dyno").write_text(name, "utf-8")
    return {
        "app": app,
        "haikube/slug": mounted / "slug",
        "haikube/pod": mounted / "pod",
        **{f"haikube/{name}": stage.buildpacks / "launcher" / name for name in ("fetch", "start")},
        "haikube/dyno": stage.process_one,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
