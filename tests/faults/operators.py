"""Real operator processes against the proxies: started in a moment, killed, paused, continued."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import yaml

from haikube.local.process import Process
from storage.seaweed import ACCESS_KEY, SECRET_KEY

_POLL_SECONDS = 0.02
_END_SECONDS = 15.0


class Operators:
    """Starts operators out of a process that has imported everything already."""

    def __init__(self, folder: Path, parent: subprocess.Popen[str]) -> None:
        self.folder = folder
        self._parent = parent

    def start(self, log: Path, **settings: str) -> Process:
        """Start one that has these settings."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        print(json.dumps({"LOG": str(log), **settings}), file=self._parent.stdin, flush=True)
        return Process.of(int(self._parent.stdout.readline()))


@contextmanager
def operators(folder: Path) -> Iterator[Operators]:
    """Run the process that operators are forked from."""
    log: IO[bytes]
    with (folder / "forks.log").open("wb") as log:
        parent = subprocess.Popen(
            (sys.executable, "-m", "faults.forks"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
    try:
        yield Operators(folder, parent)
    finally:
        parent.kill()
        parent.communicate()


class Operator:
    """One replica that is started again whenever it was killed; it keeps its name."""

    def __init__(self, all_of_them: Operators, name: str, api: int, storage: int) -> None:
        self._all = all_of_them
        self.name = name
        self.log = all_of_them.folder / f"operator-{name}-{api}.log"
        self.log.write_bytes(b"")
        self.settings = {
            "KUBECONFIG": str(self._kubeconfig(api)),
            "HAIKUBE_IDENTITY": name,
            "HAIKUBE_METRICS_PORT": "0",
            "HAIKUBE_STORAGE_ENDPOINT": f"http://127.0.0.1:{storage}",
            "HAIKUBE_STORAGE_ACCESS_KEY": ACCESS_KEY,
            "HAIKUBE_STORAGE_SECRET_KEY": SECRET_KEY,
        }
        self.process: Process | None = None
        self.is_kept = True
        """Whether it is started again when it has ended."""

    def _kubeconfig(self, port: int) -> Path:
        path = self._all.folder / f"proxy-{port}.kubeconfig"
        cluster = {"cluster": "proxy", "user": "nobody"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "proxy", "context": cluster}],
            "current-context": "proxy",
        }
        path.write_text(yaml.safe_dump(config))
        return path

    def start(self, **settings: str) -> None:
        """Start it."""
        self.settings |= settings
        self.process = self._all.start(self.log, **self.settings)

    @property
    def lives(self) -> bool:
        """Return whether its process is there."""
        return self.process is not None and self.process.alive

    async def kill(self) -> None:
        """End it at once, and wait until it is gone; another may have been started by then."""
        self.send(signal.SIGKILL)
        await self.ended()

    async def ended(self) -> None:
        """Wait until the process that runs now is gone."""
        process = self.process
        async with asyncio.timeout(_END_SECONDS):
            while process is not None and process.alive:  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(_POLL_SECONDS)

    def send(self, what: signal.Signals) -> None:
        """Send a signal to it, if it lives."""
        if self.process is not None and self.process.alive:
            os.kill(self.process.pid, what)

    def broken(self) -> list[str]:
        """Return what it has logged as an error, and whatever is no entry of a log.

        That a lead was lost is not one: a busy machine does that, and nothing may come of it.
        """
        lines = [line for line in self.log.read_text().splitlines() if line.strip()]
        alien = [line for line in lines if line[:1] != "{"]
        entries = [json.loads(line) for line in lines if line[:1] == "{"]
        wrong = [each for each in entries if each.get("level") in {"error", "critical"}]
        return alien + [each["event"] for each in wrong if "lead" not in each["event"]]
