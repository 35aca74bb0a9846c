"""Child processes: the only place of the engine that starts one.

Each child leads its own process group, so that a time limit or a cancel ends everything it
started. A child never inherits the engine's standard input.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from haikube.build.deadline import Deadline
from haikube.build.processes import too_many_processes

Sink = Callable[[bytes], None]

_CHUNK = 1 << 16
_POLL_SECONDS = 0.2
_TERM_SECONDS = 3.0
_LINGER_SECONDS = 2.0
_FIRST_TO_DIE = "1000"


@dataclass(frozen=True, slots=True)
class Completed:
    """How a child ended; ``code`` is negative when a signal ended it."""

    code: int
    out: bytes = b""
    err: bytes = b""


@contextmanager
def started(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.PIPE,
    stderr: IO[bytes] | int = subprocess.STDOUT,
    last_look: Callable[[], None] = lambda: None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a child in its own group; whatever happens, nothing of the group is left.

    ``last_look`` is called before that, while all of the group is still there.
    """
    process = _start(
        argv,
        env=dict(env),
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        bufsize=0,
    )
    try:
        yield process
    finally:
        last_look()
        _end_group(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def _start(argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - Popen's
    try:
        process = subprocess.Popen(argv, **options)
    except BlockingIOError as error:
        raise too_many_processes() from error
    with suppress(OSError):  # it has ended already
        Path(f"/proc/{process.pid}/oom_score_adj").write_text(_FIRST_TO_DIE)
    return process


def stream(
    argv: Sequence[str],
    sink: Sink,
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    deadline: Deadline,
    last_look: Callable[[], None] = lambda: None,
) -> Completed:
    """Run a child and hand every byte it prints to ``sink`` as it comes."""
    with started(argv, env=env, cwd=cwd, last_look=last_look) as process:
        _pump(process, {process.stdout: sink}, deadline)
        return Completed(process.wait())


def capture(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    deadline: Deadline,
    limit: int = 1 << 20,
) -> Completed:
    """Run a child and return what it printed, at most ``limit`` bytes of each stream."""
    out, err = bytearray(), bytearray()
    with started(argv, env=env, cwd=cwd, stderr=subprocess.PIPE) as process:
        sinks = {process.stdout: _bounded(out, limit), process.stderr: _bounded(err, limit)}
        _pump(process, sinks, deadline)
        return Completed(process.wait(), bytes(out), bytes(err))


def _bounded(buffer: bytearray, limit: int) -> Sink:
    def take(data: bytes) -> None:
        buffer.extend(data[: limit - len(buffer)])

    return take


def _pump(
    process: subprocess.Popen[bytes],
    sinks: Mapping[IO[bytes] | None, Sink],
    deadline: Deadline,
) -> None:
    """Read until the child has ended; a grandchild that keeps a pipe open does not hold us up.

    Nor does one that goes on talking: what is said long after the end is not waited for.
    """
    with selectors.DefaultSelector() as selector:
        for pipe, sink in sinks.items():
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, sink)
        patience: Deadline | None = None
        while selector.get_map():
            if patience is None and process.poll() is not None:
                patience = Deadline(_LINGER_SECONDS)
            heard = _read_ready(selector, min(deadline.remaining(), _POLL_SECONDS))
            if patience is not None and (patience.is_over or not heard):
                return
    while process.poll() is None:
        try:
            process.wait(deadline.remaining())
        except subprocess.TimeoutExpired:
            continue


def _read_ready(selector: selectors.BaseSelector, timeout: float) -> bool:
    ready = selector.select(timeout)
    for key, _ in ready:
        data = os.read(key.fd, _CHUNK)
        if data:
            key.data(data)
        else:
            selector.unregister(key.fileobj)
    return bool(ready)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: politely while its leader lives, then for good."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TERM_SECONDS)
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
