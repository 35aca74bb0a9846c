"""Commands of a Procfile that name a file of the slug which could not be started.

Git on Windows keeps no execute bit, and a program may have been built under another name: a dyno
would only say "Permission denied" or "No such file". Nothing is changed, as on Heroku; it is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from haikube.build.transcript import Transcript
from haikube.build.tree import HOME

_PROGRAM: Final = re.compile(
    r"(?:(?:exec|time|nohup)\s+|[A-Za-z_]\w*=[^\s'\"$`]*\s+)*(?P<path>[\w@%+,./-]*/[\w@%+,.-]+)(?=\s|$)"
)
"""The first word of a command, if it is a path as it stands: no quotes, variables or patterns."""

_ANY_EXECUTE: Final = 0o111


def warn_of_commands(commands: Mapping[str, str], build_dir: Path, transcript: Transcript) -> None:
    """Name the files that the commands begin with and that are not there, or may not be run."""
    for process_type, command in commands.items():
        name = _named(command)
        if not name:
            continue
        file = build_dir / name
        if file.is_symlink() or file.is_dir():
            continue
        if not file.is_file():
            transcript.warning(f"The type {process_type} starts {name}, which is not in the slug.")
        elif not file.stat().st_mode & _ANY_EXECUTE:
            transcript.warning(f"The type {process_type} starts {name}, which is not executable:")
            transcript.warning(f"git update-index --chmod=+x {name}")


def _named(command: str) -> str:
    """Return the file of the app that a command begins with; empty for anything else."""
    match = _PROGRAM.match(command)
    path = PurePosixPath(match["path"]) if match else PurePosixPath()
    if path.is_absolute():
        path = path.relative_to(HOME) if path.is_relative_to(HOME) else PurePosixPath()
    return "" if ".." in path.parts or not path.parts else path.as_posix()
