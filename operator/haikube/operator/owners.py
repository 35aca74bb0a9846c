"""The children of an App by the uid of their owner, and those that have lost theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from haikube.model import labels
from haikube.model.job import Job
from haikube.model.meta import Meta
from haikube.model.pod import Pod
from haikube.model.resources import Resource
from haikube.model.secret import Secret
from haikube.plan.children import BUILD, BUILD_URLS, ONE_OFF, PHASE, SLUG_URL, SNAPSHOT

T = TypeVar("T")

_OWNED = frozenset({SNAPSHOT, SLUG_URL, BUILD_URLS, BUILD, PHASE, ONE_OFF})
"""Components of children that an owner has, other than the app itself and its formations."""


def grouped(children: Iterable[T]) -> Mapping[str, tuple[T, ...]]:
    """Return the children of each owner."""
    groups: defaultdict[str, list[T]] = defaultdict(list)
    for each in children:
        groups[_owner(each)].append(each)
    return {owner: tuple(group) for owner, group in groups.items()}


def by_owner(children: Iterable[T]) -> Mapping[str, T]:
    """Return the one child of each owner."""
    return {_owner(each): each for each in children}


def loose(
    resource: Resource, children: Iterable[Secret | Job | Pod]
) -> Iterator[tuple[Resource, Meta]]:
    """Yield the children of builds, releases and one-off dynos that nobody owns."""
    for each in children:
        if not each.meta.controller and each.meta.labels.get(labels.COMPONENT) in _OWNED:
            yield resource, each.meta


def _owner(child: Any) -> str:  # noqa: ANN401 - any parsed child
    return str(child.meta.controller)
