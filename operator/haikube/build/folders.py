"""Folders of a source that a buildpack would take, for the refusal of a root that none takes.

Only the upper levels are looked at, and only for a while: it is a hint, never a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

_DEPTH: Final = 3
_MOST_LOOKS: Final = 100
_MOST_FOUND: Final = 8
_PATIENCE: Final = 10.0
_OF_TOOLS: Final = frozenset(
    {"node_modules", "vendor", "venv", "target", "build", "dist", "test", "tests", "docs", "tmp"}
)


def promising_folders(root: Path, taken: Callable[[Path], bool]) -> Sequence[str]:
    """Return the folders below ``root`` that ``taken`` says a buildpack takes, the upper first."""
    end = monotonic() + _PATIENCE
    found: list[Path] = []
    for looks, folder in enumerate(_below(root, found)):
        if looks >= _MOST_LOOKS or len(found) >= _MOST_FOUND or monotonic() > end:
            break
        if taken(folder):
            found.append(folder)
    return [folder.relative_to(root).as_posix() for folder in found]


def _below(root: Path, found: Sequence[Path]) -> Iterator[Path]:
    """Yield folders level by level, but none within one that was found to be an app."""
    level = [root]
    for _ in range(_DEPTH):
        level = [each for parent in level if parent not in found for each in _inside(parent)]
        yield from level


def _inside(folder: Path) -> Sequence[Path]:
    return sorted(
        each
        for each in folder.iterdir()
        if each.name not in _OF_TOOLS
        and not each.name.startswith(".")
        and each.is_dir()
        and not each.is_symlink()
    )
