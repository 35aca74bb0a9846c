"""The pre-receive hook: hands a push to the api over a unix socket and prints what it says.

It is run by git as a program of its own, ``python -IS``; standard library only, and nothing of
Haikube. Without a verdict from the api it refuses.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import BinaryIO

_LOST = " !     The platform went away during the push. Push again: it goes on from where it was.\n"


def main() -> int:
    """Return the verdict of the api as an exit status."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(os.environ["HAIKUBE_SOCKET"])
        connection.sendall(json.dumps(_request()).encode() + b"\n")
        with connection.makefile("rb") as answers:
            return _relay(answers)


def _request() -> dict[str, object]:
    return {
        "push": os.environ["HAIKUBE_PUSH"],
        "objects": os.environ.get("GIT_OBJECT_DIRECTORY", ""),
        "updates": [line.rstrip("\n").split(" ", 2) for line in sys.stdin],
    }


def _relay(answers: BinaryIO) -> int:
    for line in answers:
        message = json.loads(line)
        if "exit" in message:
            return int(message["exit"])
        sys.stdout.write(message["say"])
        sys.stdout.flush()
    sys.stdout.write(_LOST)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError:
        sys.stdout.write(_LOST)
        sys.exit(1)
