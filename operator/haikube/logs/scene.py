"""An app as its log needs it: the objects of the cluster that belong to it, and word of changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from haikube.cluster.port import Json
from haikube.logs.line import Line, in_order
from haikube.logs.story import build_story, is_named, pod_story, release_story, scale_story
from haikube.model.resources import APPS, BUILDS, FORMATIONS, PODS, RELEASES, Resource
from haikube.model.times import parse_time

T = TypeVar("T")

_NAMING: Final = timedelta(seconds=30)
"""How long a dyno is waited for that the operator has not named yet."""

_KINDS = (PODS, RELEASES, BUILDS, FORMATIONS)


class Sight(Protocol):
    """What is known of the cluster, kept up to date by somebody else; objects are read only."""

    def of_app(self, resource: Resource, app: Json) -> list[Json]:
        """Return the objects of a kind that belong to an app."""
        ...

    def by_uid(self, resource: Resource, uid: str) -> Json | None:
        """Return the object of a kind that has this uid."""
        ...

    async def until(self, check: Callable[[], T | None], seconds: float) -> T | None:
        """Return what ``check`` finds, asked after each change; None after ``seconds``."""
        ...


class Storyteller:
    """Tells the platform's lines of one app, each once."""

    def __init__(self, sight: Sight, app: Json) -> None:
        self._sight = sight
        self._app = app
        self._told: set[str] = set()
        self._formations: dict[str, Json] = {}

    def app_exists(self) -> bool:
        """Tell whether the app is still there."""
        return self._sight.by_uid(APPS, self._app["metadata"]["uid"]) is not None

    def version(self) -> int:
        """Return a number that is another one when anything of the app has changed."""
        metas = (obj["metadata"] for kind in _KINDS for obj in self._of(kind))
        seen = frozenset((meta["uid"], meta.get("resourceVersion")) for meta in metas)
        return hash((seen, self.app_exists()))

    def tell(self, now: datetime) -> list[Line]:
        """Return the lines that were not told yet, in the order of time."""
        lines = [line for line in self._stories(now) if line.key not in self._told]
        self._told.update(line.key for line in lines)
        return in_order(lines)

    def _stories(self, now: datetime) -> list[Line]:
        pods = (pod for pod in self._of(PODS) if is_settled(pod, now))
        told = [line for pod in pods for line in pod_story(pod)]
        told += [line for release in self._of(RELEASES) for line in release_story(release)]
        told += [line for build in self._of(BUILDS) for line in build_story(build)]
        for formation in self._of(FORMATIONS):
            uid = formation["metadata"]["uid"]
            told += scale_story(self._formations.get(uid, formation), formation, now)
            self._formations[uid] = formation
        return told

    def _of(self, resource: Resource) -> list[Json]:
        return self._sight.of_app(resource, self._app)


def is_settled(pod: Json, now: datetime) -> bool:
    """Tell whether a pod's dyno has its name, or nobody will give it one any more."""
    return is_named(pod) or now - parse_time(pod["metadata"]["creationTimestamp"]) > _NAMING
