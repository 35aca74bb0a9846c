"""A change of what is known, and whether it is news to who made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from haikube.model.resources import Resource

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One object before and after; None for not there."""

    resource: Resource
    old: Object | None
    new: Object | None

    @property
    def object(self) -> Object:
        """Return the newest version known, be it the last one before deletion."""
        found = self.new if self.new is not None else self.old
        assert found is not None  # noqa: S101 - a change without both sides cannot be made
        return found


Expected = Callable[[Change], bool]
"""Whether a change is what a write of our own was to bring about, and nothing else."""

Listener = Callable[[Change, bool], None]
"""Told of every change, and whether it was expected."""


def nothing(change: Change) -> bool:
    """Expect no change at all: what watches and lists tell is news."""
    del change
    return False


def anything(change: Change) -> bool:
    """Expect whatever has changed: the writer looks at the object again."""
    del change
    return True


def only_status(change: Change) -> bool:
    """Expect another status, and nothing that somebody else changed meanwhile."""
    return change.old is None or _but_status(change.old) == _but_status(change.object)


def _but_status(obj: Object) -> Object:
    return {key: each for key, each in comparable(obj).items() if key != "status"}


def comparable(obj: Object) -> Object:
    """Return an object without the version that every write changes."""
    metadata = {key: text for key, text in obj["metadata"].items() if key != "resourceVersion"}
    return {**obj, "metadata": metadata}
