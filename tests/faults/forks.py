"""Operator processes that start without the second it takes to import everything.

This runs as a process of its own: for each line with an environment it forks, and the child is
the operator, from the first line of its ``main`` on. usage: python -m faults.forks
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

from kubernetes.config import kube_config

from haikube.engine import clock
from haikube.operator import main, process
from haikube.render.renderer import Renderer

TEMPLATES = "FAULTS_TEMPLATES"
"""A setting of tests alone: the folder of another version's templates."""

CLOCK = "FAULTS_CLOCK"
"""Another one: by how many seconds the wall clock of the process is off."""


def run() -> None:
    """Fork an operator for each line; whoever ends leaves nothing behind."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        wish = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become_operator(wish)
        print(pid, flush=True)  # noqa: T201 - the answer


def _become_operator(wish: dict[str, str]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(wish.pop("LOG"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(wish)
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = wish["KUBECONFIG"]  # it was read at the import
    if templates := wish.get(TEMPLATES):
        process.Renderer = partial(Renderer, Path(templates))  # type: ignore[misc]
    if off := wish.get(CLOCK):
        now = clock.SystemClock.now
        clock.SystemClock.now = lambda self: now(self) + timedelta(seconds=float(off))  # type: ignore[method-assign]
    sys.argv = ["haikube-operator"]
    main.main()


if __name__ == "__main__":
    run()
