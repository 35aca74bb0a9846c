"""What a Stack says was made from source for it: entries come and go, and apps build with them.

It must never write over an entry that somebody else made meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from haikube.cluster.errors import Conflict
from haikube.cluster.port import Cluster
from haikube.model.resources import BUILDS, STACKS

Object = Mapping[str, Any]
Change = Callable[[Sequence[Object]], Sequence[Object]]
"""From the entries as they are to what they are to be; raises for what cannot be."""

_TRIES: Final = 5


class NotMade(Exception):
    """A runtime was not made; the message says why, or what there is."""


async def rewrite(cluster: Cluster, stack: str, change: Change) -> None:
    """Change the entries of a Stack, as they are when they are written."""
    for _ in range(_TRIES):
        found = await cluster.get(STACKS, stack)
        body = {
            "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
            "spec": {"runtimes": list(change(entries(found)))},
        }
        try:
            await cluster.patch(STACKS, stack, None, body)
        except Conflict:
            continue
        return
    raise NotMade(f"stack {stack} is changed by others all the time; try again.")


def entries(stack: Object) -> Sequence[Object]:
    """Return what was made for a Stack."""
    found: Sequence[Object] = stack["spec"].get("runtimes") or ()
    return found


def joined(runtimes: Sequence[Object], entry: Object) -> list[Object]:
    """Return the entries of a Stack with one more, which replaces one of the same name."""
    return [*_others(runtimes, entry["language"], entry["version"]), entry]


def without(runtimes: Sequence[Object], language: str, version: str, stack: str) -> list[Object]:
    """Return the entries of a Stack but for one; raises ``NotMade`` when it has no such one."""
    left = _others(runtimes, language, version)
    if len(left) < len(runtimes):
        return left
    there = ", ".join(f"{each['language']} {each['version']}" for each in runtimes)
    raise NotMade(
        f"{language} {version} was not made for {stack}: nothing is removed. "
        f"Made for it: {there or 'nothing'}."
    )


async def built_with(cluster: Cluster, stack: str, language: str) -> list[str]:
    """Return the apps, ``namespace/name``, whose newest build on a stack ran a language."""
    newest: dict[str, Object] = {}
    for build in sorted((await cluster.list(BUILDS)).items, key=_created):
        newest[_app(build)] = build.get("status") or {}
    return sorted(
        app
        for app, status in newest.items()
        if status.get("stack") == stack and f"heroku/{language}" in (status.get("buildpacks") or ())
    )


def _others(runtimes: Sequence[Object], language: str, version: str) -> list[Object]:
    same = (language, version)
    return [each for each in runtimes if (each["language"], each["version"]) != same]


def _app(build: Object) -> str:
    return f"{build['metadata']['namespace']}/{build['spec']['appRef']['name']}"


def _created(build: Object) -> str:
    return str(build["metadata"].get("creationTimestamp") or "")
