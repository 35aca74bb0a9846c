"""Where the links of an unpacked archive lead, decided from their text alone.

A link may not lead out of the tree and may not run in circles: tools that follow it would read
the machine's files or never end. Such a link is no reason to refuse a source, it is left out: on
the machine that made it, it led somewhere. Nothing here touches the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

MAX_HOPS = 40
_MOST_ROUNDS = 10
LONGEST_PART = 255
LONGEST_PATH = 3072
"""Bytes; Linux takes 4095 with the folder in front, and a third is for that."""

_UNSURE = LONGEST_PART // 4  # characters that may take so many bytes
HOME = PurePosixPath("/app")
"""Where the tree will lie at run time: an absolute link below it stays inside."""

Path = tuple[str, ...]


class BadPath(Exception):
    """A name or link that may not be unpacked; the text says why."""


def member_path(name: str) -> Path:
    """Return the components of a member's name; the root itself is the empty tuple."""
    if name.startswith("/"):
        raise BadPath("its name is absolute")
    if len(os.fsencode(name)) > LONGEST_PATH:
        raise BadPath(f"its name is longer than {LONGEST_PATH} bytes")
    parts = tuple([part for part in name.split("/") if part not in {"", "."}])
    if any(len(part) > _UNSURE and len(os.fsencode(part)) > LONGEST_PART for part in parts):
        raise BadPath(f"a part of its name is longer than {LONGEST_PART} bytes")
    if ".." in parts:
        raise BadPath("its name contains '..'")
    if "\0" in name:
        raise BadPath("its name contains a NUL byte")
    return parts


def resolve(start: Path, links: Mapping[Path, str]) -> Path:
    """Follow every link on the way to ``start``; returns where it ends inside the tree."""
    todo = list(reversed(start))
    here: list[str] = []
    hops = 0
    while todo:
        part = todo.pop()
        if part == "..":
            if not here:
                raise BadPath("it leads out of the source")
            here.pop()
            continue
        here.append(part)
        target = links.get(tuple(here))
        if target is None:
            continue
        hops += 1
        if hops > MAX_HOPS:
            raise BadPath("it runs in a circle")
        here = [] if target.startswith("/") else here[:-1]
        todo.extend(reversed(_steps(target)))
    return tuple(here)


def bad_links(links: Mapping[Path, str]) -> Iterable[tuple[Path, str]]:
    """Yield every link that leads out or in a circle, with the reason."""
    for path in links:
        try:
            resolve(path, links)
        except BadPath as error:
            yield path, str(error)


def parted(links: Mapping[Path, str]) -> tuple[Mapping[Path, str], Mapping[Path, str]]:
    """Return the links that may be made, and those that may not with the reason.

    A link may be bad for want of one that is left out, so what is left is judged anew; whoever
    has it go on for long wants it to.
    """
    kept, left = dict(links), dict[Path, str]()
    for _ in range(_MOST_ROUNDS):
        found = dict(bad_links(kept))
        if not found:
            return kept, left
        left.update(found)
        kept = {path: text for path, text in kept.items() if path not in found}
    raise BadPath("its links lead through each other out of the source")


def _steps(target: str) -> list[str]:
    if len(os.fsencode(target)) > LONGEST_PATH:
        raise BadPath(f"it says more than {LONGEST_PATH} bytes")
    pure = PurePosixPath(target)
    if pure.is_absolute():
        if not pure.is_relative_to(HOME):
            raise BadPath(f"it leads out of the source, to {target}")
        pure = pure.relative_to(HOME)
    return [part for part in pure.parts if part != "."]
