"""Process 1 of a dyno, compiled and run in a pid namespace of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from haikube.build.harness.sandbox import first_process, namespaces
from terminal import eventually

SOURCE = Path(__file__).parents[2] / "buildpacks" / "launcher" / "dyno"

HEEDS_SIGNALS = ("/usr/bin/env", "--default-signal")
"""Tests that run in the background, or by nohup, hand down that signals are ignored."""

APP = f"""#!{sys.executable}
import os, signal, sys, time
name, seconds = sys.argv[1], float(sys.argv[2])
ended = []
signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
print(name, "is up", flush=True)
open(name + ".up", "w").close()
while not ended:
    signal.pause()
time.sleep(seconds)
print(name, "stopped cleanly after", len(ended), "signal", flush=True)
"""
"""A process that has work to finish when it is told to end."""


@dataclass
class Running:
    """A dyno that runs."""

    process: subprocess.Popen[bytes]
    folder: Path

    def up(self, *names: str) -> None:
        for name in names:
            eventually((self.folder / f"{name}.up").exists, f"{name} is up: {self.output}")

    def send(self, number: signal.Signals) -> None:
        inside = first_process(self.process)
        assert inside is not None
        os.kill(inside, number)

    def stop(self, *names: str, seconds: float = 20) -> int:
        """Wait until these are up, send SIGTERM, and return the exit code."""
        self.up(*names)
        self.send(signal.SIGTERM)
        return self.process.wait(seconds)

    def wait(self, seconds: float = 20) -> int:
        return self.process.wait(seconds)

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()


@dataclass(frozen=True)
class ProcessOne:
    """The compiled program and a folder in which commands run."""

    program: Path
    folder: Path

    @contextmanager
    def start(
        self,
        *words: str,
        environment: dict[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        output: int | None = None,
    ) -> Iterator[Running]:
        app = self.folder / "app"
        app.write_text(APP)
        app.chmod(0o755)
        variables = {"PATH": f"{self.folder}:{os.environ['PATH']}", **(environment or {})}
        with (self.folder / "output").open("wb") as file:
            process = subprocess.Popen(
                [*_contained(), *_with(variables), str(self.program), *words],
                cwd=self.folder,
                stdin=stdin,
                stdout=file if output is None else output,
                stderr=subprocess.STDOUT,
            )
            try:
                yield Running(process, self.folder)
            finally:
                process.kill()
                if process.stdin:
                    process.stdin.close()
                process.wait()

    def run(self, *words: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
        """Run a dyno that ends by itself; returns its exit code and what was printed."""
        with self.start(*words, environment=environment) as running:
            code = running.wait()
        return code, running.output


def bash(line: str) -> Sequence[str]:
    """Return the words that run a line as a dyno does."""
    return ("--", "/bin/bash", "-c", line)


def compiled(folder: Path) -> Path:
    """Return the program, compiled as for the image."""
    target = folder / "dyno"
    subprocess.run([SOURCE / "build", target], check=True)
    return target


def _with(variables: Mapping[str, str]) -> Sequence[str]:
    """Return the words that give these to process 1 and to nobody before it."""
    return (*HEEDS_SIGNALS, "-i", *(f"{name}={value}" for name, value in variables.items()))


def _contained() -> Sequence[str]:
    *flags, _ = namespaces()
    return (*flags, "--mount-proc", "--")
