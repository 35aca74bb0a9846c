"""The bridge seen from outside: is it there, is it ours, start it, stop it.

A shell's profile asks at each start, so only what Python has loaded anyway is imported. Must never
show the key to whoever listens on the port: the listener has to prove that it knows it.
"""

from __future__ import annotations

import errno
import hmac
import json
import os
import secrets
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Final

from haikube.bridge.key import proof
from haikube.bridge.profile import Login, load, state_dir

_SECONDS: Final = 3.0
_START_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.05
_LARGEST: Final = 16 << 10


class NotStarted(Exception):
    """The bridge cannot run; the message holds the remedy."""


class PortTaken(NotStarted):
    """Another program listens where the bridge would."""


def answering(login: Login) -> int | None:
    """Return the process id of our bridge, None while nothing listens on its port.

    Raises ``PortTaken`` when another program does.
    """
    nonce = secrets.token_hex(16)
    try:
        said = _ask(login.port, nonce)
    except OSError:
        return None
    try:
        body = json.loads(said.partition("\r\n\r\n")[2])
        shown, pid = str(body["proof"]), int(body["pid"])
    except (ValueError, KeyError, TypeError):
        shown, pid = "", 0
    if not hmac.compare_digest(shown.encode(), proof(login.key, nonce).encode()):
        raise PortTaken(
            f"another program listens on port {login.port} of this machine. "
            "Choose a free one: haikube login --port PORT"
        )
    return pid


def _ask(port: int, nonce: str) -> str:
    request = (
        f"GET /.haikube/bridge?nonce={nonce} HTTP/1.1\r\n"
        f"Host: localhost:{port}\r\nConnection: close\r\n\r\n"
    )
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
        connection.sendall(request.encode())
        while (chunk := connection.recv(_LARGEST)) and len(said) < _LARGEST:
            said += chunk
    return said.decode(errors="replace")


def free_port(wanted: int, taken: set[int]) -> int:
    """Return the first port from ``wanted`` on that nobody has."""
    for port in range(wanted, wanted + 100):
        if port not in taken and _free(port):
            return port
    raise NotStarted(f"no port from {wanted} to {wanted + 99} is free: name one with --port")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno not in {errno.EADDRINUSE, errno.EACCES}
    return True


def log_file(profile: str) -> Path:
    """Return where a bridge in the background writes."""
    return state_dir() / f"bridge-{profile}.log"


def start(profile: str) -> bool:
    """Let the bridge of a profile run in the background; tell whether it had to be started.

    Raises ``NotStarted`` and ``LoginError``.
    """
    login = load(profile)
    if answering(login):
        return False
    log = log_file(profile)
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pid = _spawned(profile, log)
    _until_up(login, pid, log)
    return True


def _spawned(profile: str, log: Path) -> int:
    """Start the process in a session of its own: it outlives the terminal."""
    words = [sys.executable, "-m", "haikube.bridge", profile]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawn(
        sys.executable,
        words,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _until_up(login: Login, pid: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            said = log.read_text(errors="replace").strip().rpartition("\n")[2]
            raise NotStarted(f"the bridge ended at once: {said or status}.")
        if answering(login):
            return
        time.sleep(_LOOK_SECONDS)
    os.kill(pid, signal.SIGTERM)
    raise NotStarted(f"the bridge does not answer on port {login.port}. See {log}.")


def stop(login: Login) -> bool:
    """End the bridge of a login, if it is ours that answers; tell whether it ran."""
    try:
        pid = answering(login) if login.port else None
    except NotStarted:
        return False
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and _answers(login):
        time.sleep(_LOOK_SECONDS)
    return True


def _answers(login: Login) -> bool:
    """Tell whether our bridge is there; another program may have taken its port at once."""
    try:
        return answering(login) is not None
    except NotStarted:
        return False
