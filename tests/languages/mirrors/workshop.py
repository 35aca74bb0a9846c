"""A place with the stack's own tools, to make sample apps and package mirrors in at test time.

It is the build image unpacked, entered as the dyno user with one scratch folder at /work. It must
never be part of what is tested: apps leave it as plain folders.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from haikube.build.harness.rehearsal import DYNO_ID
from haikube.build.harness.sandbox import Sandbox, running
from languages.mirrors.rootfs import CACHE, build_rootfs

_DEBS = """
state=/work/apt/state cache=/work/apt/cache
mkdir -p "$state/lists/partial" "$cache/archives/partial"
options=(-o Dir::State="$state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$cache"
  -o Debug::NoLocking=1 -o APT::Install-Recommends=0 -o APT::Sandbox::User=
  -o Acquire::Languages=none -o Acquire::Retries=3)
apt-get -qq "${options[@]}" update
apt-get -qq "${options[@]}" -y --download-only install "$@"
"""


class WorkshopError(RuntimeError):
    """A program failed in the workshop; the message holds what it printed."""


@dataclass(frozen=True)
class Workshop:
    """One scratch folder and the stack's tools around it."""

    scratch: Path

    def run(self, script: str, *words: str, **environment: str) -> str:
        """Run a bash script in /work and return what it printed."""
        command = ["bash", "-euo", "pipefail", "-c", f"cd /work\n{script}", "workshop", *words]
        with tempfile.TemporaryDirectory() as layers, tempfile.TemporaryFile() as output:
            sandbox = Sandbox(build_rootfs(), Path(layers), writable=True, binds=self._binds)
            with running(sandbox, command, _environment(environment), output.fileno()) as process:
                code = process.wait()
            output.seek(0)
            printed = output.read().decode(errors="replace")
        if code != 0:
            raise WorkshopError(f"exit code {code} of\n{script}\n{printed}")
        return printed

    @property
    def _binds(self) -> dict[str, Path]:
        return {"work": self.scratch}


def _environment(extra: dict[str, str]) -> dict[str, str]:
    return {"HOME": "/work", "LANG": "C.UTF-8"} | extra


def workshop(name: str, *, fresh: bool = False) -> Workshop:
    """Return the workshop with this name below the test cache, emptied on request."""
    scratch = CACHE / "workshop" / name
    if fresh:
        shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True, exist_ok=True)
    hand_over(scratch)
    return Workshop(scratch)


def filled(name: str, sign: str, fill: Callable[[Workshop], object]) -> Workshop:
    """Return the workshop with this name, which has the file ``sign`` when it was filled.

    Whoever comes first fills it, and test runs beside that one wait.
    """
    (CACHE / "workshop").mkdir(parents=True, exist_ok=True)
    with (CACHE / "workshop" / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shop = workshop(name)
        if not (shop.scratch / sign).exists():
            shop = workshop(name, fresh=True)
            fill(shop)
    return shop


def hand_over(path: Path) -> None:
    """Give a file or folder that the test wrote to the workshop's user."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{DYNO_ID}:{DYNO_ID}", path], check=True)


def fetch_debs(shop: Workshop, packages: list[str]) -> None:
    """Download packages and what the stack lacks of their closure to apt/cache/archives."""
    shop.run(_DEBS, *packages)
