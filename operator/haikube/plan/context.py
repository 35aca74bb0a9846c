"""What every plan is given besides what it observes: settings, templates and the moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from haikube.model.conditions import Verdict, progressing
from haikube.model.pod import Pod
from haikube.settings import Settings

Render = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]

View = TypeVar("View")

PATIENCE = timedelta(seconds=15)
"""How long a node may take to prepare a pod before what it may lack is told."""


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

    def lacks_users(self, runtime_class: str, pods: Iterable[Pod]) -> Verdict | None:
        """Return what is wrong with pods that do not start and ask for users of their own.

        No status tells: the kubelet tries for ever. What a RuntimeClass can do is not known.
        """
        if runtime_class or self.lends_users or not self.own_users(runtime_class):
            return None
        if not any(pod.prepared and self.now - pod.meta.created >= PATIENCE for pod in pods):
            return None
        return progressing(
            "UserNamespacesMissing",
            "HAIKUBE_USER_NAMESPACES is on, but not every node lends its pods users of their own: "
            "set it to auto, or give the nodes Linux 6.3 and containerd 2 or CRI-O",
        )


def first(chain: Iterable[Callable[[View], Verdict | None]], view: View) -> Verdict:
    """Return the verdict of the first check that has one; the last check always has."""
    verdicts = (check(view) for check in chain)
    return next(verdict for verdict in verdicts if verdict is not None)
