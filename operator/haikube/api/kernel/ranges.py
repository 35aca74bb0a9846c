"""Pages: the ``Range`` of a request for a list, the ``Next-Range`` of its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from haikube.api.kernel.problems import Problem

Item = Mapping[str, Any]
_Key = tuple[int, str]

MOST: Final = 1000

_RANGE: Final = re.compile(
    r"\s*(?P<field>[a-z_]+)\s*(?P<after>\])?(?P<start>[^;\s]*?)\s*\.\.\s*(?P<end>[^;\s]*)\s*"
    r"(?:;(?P<options>.*))?"
)
_OPTION: Final = re.compile(r"\s*(max|order)\s*=\s*(\w+)\s*")


@dataclass(frozen=True, slots=True)
class Range:
    """What part of a list is wanted: sorted by ``field``, from ``start`` on or behind it."""

    field: str
    start: str = ""
    after: bool = False
    end: str = ""
    most: int = MOST
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and the Range of the next one if there is more."""

    items: Sequence[Item]
    next: str = ""


def parse(header: str) -> Range | None:
    """Return the range of a header, None for an empty one; raises a 416 ``Problem``."""
    if not header.strip():
        return None
    found = _RANGE.fullmatch(header)
    if found is None:
        raise _refused(f"Range {header!r:.80} is not like: version ..; max=10, order=desc")
    options = dict(
        _option(part) for part in re.split("[;,]", found["options"] or "") if part.strip()
    )
    most = options.get("max", str(MOST))
    if not most.isdecimal() or not 1 <= int(most) <= MOST:
        raise _refused(f"max={most} must be from 1 to {MOST}")
    return Range(
        found["field"],
        found["start"],
        bool(found["after"]),
        found["end"],
        int(most),
        options.get("order") == "desc",
    )


def cut(items: Sequence[Item], wanted: Range | None) -> Page:
    """Return the wanted part of a list."""
    if wanted is None:
        wanted = Range("id") if len(items) > MOST else None
    if wanted is None or not items:
        return Page(items)
    wanted = _sortable(items, wanted)
    part = [item for item in _sorted(items, wanted) if _within(item, wanted)]
    if len(part) <= wanted.most:
        return Page(part)
    kept = part[: wanted.most]
    order = ", order=desc" if wanted.descending else ""
    last = kept[-1][wanted.field]
    return Page(kept, f"{wanted.field} ]{last}..{wanted.end}; max={wanted.most}{order}")


def _sortable(items: Sequence[Item], wanted: Range) -> Range:
    """Return the range by ``id`` where a client names a field that is not there, but no part."""
    if all(wanted.field in item for item in items):
        return wanted
    if wanted.start or wanted.end:
        raise _refused(f"these cannot be sorted by {wanted.field}")
    return replace(wanted, field="id")


def _option(part: str) -> tuple[str, str]:
    found = _OPTION.fullmatch(part)
    if found is None:
        raise _refused(f"{part.strip()!r:.40} is no option of a Range: max=N, order=desc")
    return found[1], found[2]


def _sorted(items: Sequence[Item], wanted: Range) -> list[Item]:
    return sorted(items, key=lambda item: _key(item[wanted.field]), reverse=wanted.descending)


def _within(item: Item, wanted: Range) -> bool:
    key = _key(item[wanted.field])
    if wanted.start:
        start = _key(wanted.start)
        if not _behind(key, start, wanted) and (wanted.after or key != start):
            return False
    return not wanted.end or not _behind(key, _key(wanted.end), wanted)


def _behind(key: _Key, mark: _Key, wanted: Range) -> bool:
    return key < mark if wanted.descending else key > mark


def _key(value: object) -> _Key:
    """Return how a value sorts: numbers by size, whatever they were written as."""
    text = str(value)
    return (int(text), "") if text.isdecimal() else (-1, text)


def _refused(message: str) -> Problem:
    return Problem(416, "requested_range_not_satisfiable", f"{message}.")
