"""What every plan is given besides what it observes: settings, templates and the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from haikube.model.conditions import Verdict
from haikube.settings import Settings

Render = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Context:
    """The platform at one moment; ``render`` turns a template's name and values into an object.

    ``storage_full`` is why no build may begin, or nothing. ``lends_users`` says that pods can have
    users of their own on every node.
    """

    settings: Settings
    render: Render
    now: datetime
    storage_full: str = ""
    lends_users: bool = False

    def own_users(self, runtime_class: str) -> bool:
        """Return whether pods of a RuntimeClass, or of none, get users of their own."""
        wish = self.settings.user_namespaces
        return wish == "on" or (wish == "auto" and self.lends_users and not runtime_class)


def first(chain: Iterable[Callable[[View], Verdict | None]], view: View) -> Verdict:
    """Return the verdict of the first check that has one; the last check always has."""
    verdicts = (check(view) for check in chain)
    return next(verdict for verdict in verdicts if verdict is not None)
