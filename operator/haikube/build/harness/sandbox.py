"""A stack's files as a sandbox: own mounts and processes, the machine's network."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_ENTER: Final = Path(__file__).with_name("enter.sh")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One root filesystem; ``scratch`` takes what is written to it."""

    rootfs: Path
    scratch: Path
    writable: bool
    binds: Mapping[str, Path]

    def argv(self, command: Sequence[str], env: Mapping[str, str]) -> list[str]:
        """Return the command line that runs ``command`` inside."""
        access = "rw" if self.writable else "ro"
        binds = [f"{source}:{target}" for target, source in self.binds.items()]
        variables = [f"{name}={value}" for name, value in {"PATH": _PATH, **env}.items()]
        return [
            *namespaces(),
            "bash",
            str(_ENTER),
            str(self.rootfs),
            str(self.scratch),
            access,
            *binds,
            "--",
            "env",
            "-i",
            *variables,
            *command,
        ]


def namespaces() -> Sequence[str]:
    """Return the prefix that gives a command its own namespaces, with or without root."""
    flags = ["--mount", "--pid", "--fork", "--kill-child"]
    if os.geteuid():
        flags = ["--user", "--map-root-user", "--map-auto", *flags]
    return ["unshare", *flags, "--"]


@contextmanager
def running(
    sandbox: Sandbox, command: Sequence[str], env: Mapping[str, str], output: IO[bytes] | int | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command inside; it and all it started are gone afterwards."""
    process = subprocess.Popen(
        sandbox.argv(command, env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def first_process(process: subprocess.Popen[bytes]) -> int | None:
    """Return the pid, as seen from here, of process 1 inside; None before it has started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    try:
        found = children.read_text("utf-8").split()
    except OSError:
        return None
    return int(found[0]) if found else None
