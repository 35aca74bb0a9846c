"""The proc-receive hook: hands a push to the api over a unix socket and prints what it says.

git runs it, as ``python -IS``, when it has unpacked and checked what was sent, instead of moving
refs itself: the last word is the api's, and git can refuse nothing after it. Of a shallow push git
has to look at the refs that it moves, in this request's copy, or it aborts behind us: there it is
told to go on ("fall-through"); that nothing is missing was asked before. Standard library only, and
nothing of Haikube. Without a verdict from the api it refuses.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from typing import BinaryIO

_FLUSH = b"0000"
_LOST = " !     The platform went away during the push. Push again: it goes on from where it was.\n"
_NO = "pre-receive hook declined"
"""Heroku's words, which are git's own for a hook of another kind."""


def main() -> None:
    """Speak with git: version, updates, and a result for each of them."""
    git, answer = sys.stdin.buffer, sys.stdout.buffer
    list(_lines(git))
    answer.write(_line("version=1\n") + _FLUSH)
    answer.flush()
    updates = [line.decode(errors="surrogateescape").split(" ", 2) for line in _lines(git)]
    accepted = _ask(updates)
    for *_, ref in updates:
        for line in _result(ref, accepted=accepted):
            answer.write(_line(line))
    answer.write(_FLUSH)
    answer.flush()


def _result(ref: str, *, accepted: bool) -> list[str]:
    if not accepted:
        return [f"ng {ref} {_NO}"]
    return [f"ok {ref}", *(["option fall-through"] if _is_shallow() else [])]


def _is_shallow() -> bool:
    return "GIT_SHALLOW_FILE" in os.environ


def _ask(updates: list[list[str]]) -> bool:
    request = {
        "push": os.environ["HAIKUBE_PUSH"],
        "shallow": _is_shallow(),
        "updates": updates,
    }
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(os.environ["HAIKUBE_SOCKET"])
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                return _relay(answers)
    except OSError:
        _say(_LOST)
        return False


def _relay(answers: BinaryIO) -> bool:
    for line in answers:
        message = json.loads(line)
        if "exit" in message:
            return int(message["exit"]) == 0
        _say(message["say"])
    _say(_LOST)
    return False


def _say(text: str) -> None:
    sys.stderr.buffer.write(text.encode(errors="replace"))
    sys.stderr.buffer.flush()


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield pkt-lines up to a flush."""
    while (head := stream.read(4)) and head != _FLUSH:
        yield stream.read(int(head, 16) - 4).rstrip(b"\n")


def _line(text: str) -> bytes:
    data = text.encode(errors="surrogateescape")
    return f"{len(data) + 4:04x}".encode() + data


if __name__ == "__main__":
    main()
