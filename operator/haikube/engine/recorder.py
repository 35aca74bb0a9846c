"""Kubernetes events about reconciled objects: said once, then not again for ten minutes.

An event is a courtesy. One that cannot be written is logged and never fails a pass.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from haikube.cluster.errors import ApiError
from haikube.cluster.port import Cluster, Json
from haikube.engine.clock import Clock
from haikube.engine.recent import Recent
from haikube.model.intents import Event
from haikube.model.resources import EVENTS, Resource

FOLD_SECONDS = 600.0

_REMEMBERED = 10_000
_LONGEST_MESSAGE = 1024
_LONGEST_NAME = 200

log = logging.getLogger(__name__)


class Recorder:
    """Writes events, folding repeated ones."""

    def __init__(self, cluster: Cluster, component: str, clock: Clock) -> None:
        self._cluster = cluster
        self._component = component
        self._clock = clock
        self._said: Recent[tuple[str, Event], float] = Recent(_REMEMBERED)

    async def record(self, resource: Resource, about: Mapping[str, Any], event: Event) -> None:
        """Write one event about an object, unless the same was said a short while ago."""
        key = (about["metadata"]["uid"], event)
        now = self._clock.monotonic()
        said = self._said.get(key)
        if said is not None and now - said < FOLD_SECONDS:
            return
        self._said[key] = now
        try:
            await self._cluster.create(EVENTS, self._body(resource, about, event))
        except ApiError as error:
            log.warning("event %s was not written: %s", event.reason, error)

    def _body(self, resource: Resource, about: Mapping[str, Any], event: Event) -> Json:
        metadata = about["metadata"]
        name, namespace = metadata["name"], metadata.get("namespace") or "default"
        stamp = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{name[:_LONGEST_NAME]}.{uuid.uuid4().hex[:16]}",
                "namespace": namespace,
            },
            "involvedObject": {
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "name": name,
                "namespace": metadata.get("namespace", ""),
                "uid": metadata["uid"],
                "resourceVersion": metadata.get("resourceVersion", ""),
            },
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:_LONGEST_MESSAGE],
            "count": 1,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "reportingInstance": "",
        }
