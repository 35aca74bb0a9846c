"""Run a program and say what went wrong in its own last words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TAIL_LINES = 15


class LocalError(Exception):
    """Something the user can act on: the message holds the value and the remedy."""


def run(
    *argv: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
) -> str:
    """Return the standard output of a program that must succeed.

    Raises:
        LocalError: with the command and the end of what it printed.
    """
    words = [str(word) for word in argv]
    try:
        result = subprocess.run(
            words,
            cwd=cwd,
            env={**os.environ, **env} if env else None,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout,
        )
    except FileNotFoundError as error:
        raise LocalError(f"{words[0]}: no such program; `haikube local up` installs it") from error
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"{_shown(words)} took longer than {timeout} s") from error
    if result.returncode:
        raise LocalError(_failure(words, result.returncode, result.stderr or result.stdout))
    return result.stdout


def succeeds(*argv: str | Path, timeout: float = 30.0) -> bool:
    """Return whether a program exists and exits with 0."""
    try:
        run(*argv, timeout=timeout)
    except LocalError:
        return False
    return True


def said(*argv: str | Path, timeout: float = 30.0) -> str:
    """Return what a program printed, nothing unless it exists and exits with 0."""
    try:
        return run(*argv, timeout=timeout)
    except LocalError:
        return ""


def _shown(words: Sequence[str]) -> str:
    shown = " ".join(words)
    return shown if len(shown) < 160 else shown[:157] + "..."  # noqa: PLR2004 - one log line


def _failure(words: Sequence[str], code: int, output: str) -> str:
    tail = "\n".join(f"    {line}" for line in output.strip().splitlines()[-_TAIL_LINES:])
    return f"{_shown(words)} ended with {code}:\n{tail}"
