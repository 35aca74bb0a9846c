"""The bridge's key in ``~/.netrc``, where the Heroku CLI and its libraries look for it.

Must leave every other entry of the file, byte for byte.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from haikube.cli import files

_FIELDS = r"(?:\s+(?:login|password|account)\s+\S+)*[ \t]*\n?"


def netrc_file() -> Path:
    """Return the file, as the Heroku CLI finds it."""
    return Path(os.environ.get("HOME") or Path.home()) / ".netrc"


def password(machine: str) -> str:
    """Return the password of a machine, empty where there is none."""
    entry = _entry(machine).search(files.read(netrc_file()))
    found = re.search(r"\spassword\s+(\S+)", entry[0]) if entry else None
    return found[1] if found else ""


def put(machine: str, login: str, key: str) -> bool:
    """Let the file hold this entry; tell whether it changed."""
    entry = f"machine {machine}\n  login {login}\n  password {key}\n"
    rest = _without(machine)
    if rest and not rest.endswith("\n"):
        rest += "\n"
    return password(machine) != key and files.replace(netrc_file(), rest + entry, files.PRIVATE)


def drop(machine: str) -> bool:
    """Remove the entry of a machine; tell whether there was one."""
    return files.replace(netrc_file(), _without(machine), files.PRIVATE)


def _without(machine: str) -> str:
    return _entry(machine).sub("", files.read(netrc_file()))


def _entry(machine: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)machine\s+{re.escape(machine)}(?!\S){_FIELDS}")
