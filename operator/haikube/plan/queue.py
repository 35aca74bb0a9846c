"""Whose turn it is among the unfinished builds of all apps.

One build of an app at a time, in the order they were made; one that waits for somebody's help
holds up nobody, and takes a place that nobody else wants. Of the apps those go first whose
namespace has the fewest builds running, and in it what a person pushed before what is merely
rebuilt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from haikube.model import labels
from haikube.model.build import RUNNING, Build
from haikube.model.conditions import STALLED, find


def ahead_of(build: Build, siblings: Iterable[Build]) -> Build | None:
    """Return the unfinished build of the same app that goes first, if any.

    A build that runs already goes first whatever its age: within one second names decide.
    """
    for other in sorted(siblings, key=lambda each: each.meta.age_key):
        if other.meta.uid == build.meta.uid or _is_over(other) or _is_stalled(other):
            continue
        if other.result == RUNNING or other.meta.age_key < build.meta.age_key:
            return other
    return None


def admitted(unfinished: Iterable[Build], at_once: int) -> frozenset[str]:
    """Return the uids of the builds that run or may begin, ``at_once`` in all."""
    builds = [each for each in unfinished if not _is_over(each)]
    running = [each for each in builds if each.result == RUNNING]
    busy = Counter(each.meta.namespace for each in running)
    waiting = _firsts(builds)
    chosen = {each.meta.uid for each in running}
    while waiting and len(chosen) < at_once:
        following = min(waiting, key=lambda each: _rank(each, busy[each.meta.namespace]))
        waiting.remove(following)
        busy[following.meta.namespace] += 1
        chosen.add(following.meta.uid)
    return frozenset(chosen)


def _is_over(build: Build) -> bool:
    return build.finished or build.meta.deleting


def _is_stalled(build: Build) -> bool:
    """Return whether only a person brings it further: a missing stack, a refused Job."""
    return build.result != RUNNING and bool(find(build.status, STALLED))


def _firsts(builds: list[Build]) -> list[Build]:
    """Return the build of each app that is next, where none runs."""
    firsts: dict[tuple[str, str], Build] = {}
    for each in sorted(builds, key=_in_app):
        firsts.setdefault((each.meta.namespace, each.app), each)
    return [each for each in firsts.values() if each.result != RUNNING]


def _in_app(build: Build) -> tuple[Any, ...]:
    return (build.result != RUNNING, _is_stalled(build), *build.meta.age_key)


def _rank(build: Build, busy: int) -> tuple[Any, ...]:
    rebuilt = labels.REBUILD in build.meta.annotations
    return (_is_stalled(build), busy, rebuilt, build.meta.created, build.meta.uid)
