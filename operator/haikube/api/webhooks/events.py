"""What of a change in the cluster is an event for people: pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from haikube.api.bodies.formation import pod_state
from haikube.api.kernel.identity import made_id
from haikube.cluster.port import Json
from haikube.model.resources import APPS, BUILDS, FORMATIONS, PODS, RELEASES, Resource

INCLUDES: Final = (
    "api:addon-attachment",
    "api:addon",
    "api:app",
    "api:build",
    "api:collaborator",
    "api:domain",
    "api:dyno",
    "api:formation",
    "api:release",
    "api:sni-endpoint",
    "dyno",
)
"""What a hook may ask for. Of what this platform does not have nothing is ever told."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change that somebody may want to hear of; ``id`` is the same in every process."""

    id: str
    resource: Resource
    include: str
    action: str
    obj: Json


def event_of(resource: Resource, old: Json | None, new: Json | None) -> Event | None:
    """Return the event in a change, None where it means nothing to people."""
    include = _INCLUDES.get(resource)
    if include is None or (old is None and new is None):
        return None
    obj = new if new is not None else old or {}
    if old is None:
        action = "create"
    elif new is None:
        action = "destroy"
    elif _SEEN[resource](old) != _SEEN[resource](new):
        action = "update"
    else:
        return None
    meta = obj["metadata"]
    version = meta.get("resourceVersion") if new is not None else "gone"
    return Event(made_id("event", f"{meta['uid']}/{version}"), resource, include, action, obj)


_INCLUDES: Final[Mapping[Resource, str]] = {
    APPS: "api:app",
    BUILDS: "api:build",
    RELEASES: "api:release",
    FORMATIONS: "api:formation",
    PODS: "dyno",
}


def _status(*fields: str) -> Callable[[Json], Any]:
    return lambda obj: [(obj.get("status") or {}).get(each) for each in fields]


def _spec(obj: Json) -> Any:  # noqa: ANN401 - any JSON
    return obj.get("spec")


_SEEN: Final[Mapping[Resource, Callable[[Json], Any]]] = {
    APPS: _spec,
    BUILDS: _status("result"),
    RELEASES: _status("result", "current"),
    FORMATIONS: _spec,
    PODS: lambda pod: pod_state(pod).state,
}
"""What of an object has to change."""
