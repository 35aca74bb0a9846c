"""Files of the person that a login changes: kept as they were, in case the login fails."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE = 0o600


class Changes:
    """Remembers files before they change; ``undo`` makes them what they were."""

    def __init__(self) -> None:
        self._before: dict[Path, tuple[bytes, int] | None] = {}

    def keep(self, *paths: Path) -> None:
        """Remember files, the first time that each is named; one that is not there, too."""
        for path in paths:
            if path not in self._before:
                self._before[path] = _content(path)

    def undo(self) -> None:
        """Restore what was."""
        for path, before in self._before.items():
            if before is None:
                path.unlink(missing_ok=True)
            else:
                replace(path, before[0].decode("utf-8", "surrogateescape"), before[1])


def read(path: Path) -> str:
    """Return the text of a file, empty where there is none; odd bytes survive ``replace``."""
    try:
        return path.read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""


def replace(path: Path, text: str, mode: int) -> bool:
    """Let a file hold a text, in one step; a symbolic link stays one. Tell whether it changed.

    ``mode`` is that of a new file; one that exists keeps its own, and an empty text removes it.
    """
    real = path.resolve()
    if read(real) == text:
        return False
    if not text:
        real.unlink()
        return True
    mode = real.stat().st_mode & 0o777 if real.exists() else mode
    real.parent.mkdir(parents=True, exist_ok=True)
    draft = real.with_name(f"{real.name}.{os.getpid()}.haikube")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    draft.chmod(mode)
    draft.replace(real)
    return True


def _content(path: Path) -> tuple[bytes, int] | None:
    real = path.resolve()
    return (real.read_bytes(), real.stat().st_mode & 0o777) if real.exists() else None
