"""Prometheus metrics of one operator process; no label ever holds a name from a user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from haikube.cluster.port import Cluster, Json, Propagation
from haikube.engine.worker import Key
from haikube.model.resources import Resource

_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0)


class Metrics:
    """What is counted and measured."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory and CPU, as process_*
        self._reconciles = Histogram(
            "haikube_reconcile_seconds",
            "time of one reconcile",
            ("kind", "outcome"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._writes = Counter(
            "haikube_writes", "writes to the API server", ("kind", "verb"), registry=self.registry
        )
        self._writes_of = cache(self._writes.labels)  # to find one takes longer than to count
        self._leader = Gauge("haikube_leader", "1 while this process leads", registry=self.registry)
        self._watch_age = Gauge(
            "haikube_watch_age_seconds",
            "time since anything was heard of a watch",
            ("kind",),
            registry=self.registry,
        )

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Publish a figure that is read when asked for."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def reconciled(self, key: Key, outcome: str, seconds: float) -> None:
        """Count one reconcile."""
        self._reconciles.labels(key.kind, outcome).observe(seconds)

    def wrote(self, resource: Resource, verb: str) -> None:
        """Count one write."""
        self._writes_of(resource.kind, verb).inc()

    def leading(self) -> None:
        """Say that this process leads."""
        self._leader.set(1)

    def text(self, ages: Mapping[str, float]) -> bytes:
        """Return everything as Prometheus reads it."""
        for kind, age in ages.items():
            self._watch_age.labels(kind).set(age)
        return generate_latest(self.registry)


class CountedCluster:
    """A cluster whose writes are told of before they are made; everything else passes through.

    ``wrote`` may raise, and nothing is written then.
    """

    def __init__(self, cluster: Cluster, wrote: Callable[[Resource, str], None]) -> None:
        self._cluster = cluster
        self._wrote = wrote
        self.get = cluster.get
        self.list = cluster.list
        self.watch = cluster.watch
        self.pod_log = cluster.pod_log
        self.attach = cluster.attach

    async def create(self, resource: Resource, body: Mapping[str, Any]) -> Json:
        """Create an object."""
        self._wrote(resource, "create")
        return await self._cluster.create(resource, body)

    async def apply(
        self, resource: Resource, body: Mapping[str, Any], *, manager: str, force: bool = True
    ) -> Json:
        """Server-side apply."""
        self._wrote(resource, "apply")
        return await self._cluster.apply(resource, body, manager=manager, force=force)

    async def apply_status(
        self, resource: Resource, body: Mapping[str, Any], *, manager: str
    ) -> Json:
        """Server-side apply the status."""
        self._wrote(resource, "apply_status")
        return await self._cluster.apply_status(resource, body, manager=manager)

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        body: Mapping[str, Any],
        *,
        subresource: str = "",
    ) -> Json:
        """Merge-patch an object."""
        self._wrote(resource, "patch")
        return await self._cluster.patch(resource, name, namespace, body, subresource=subresource)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: Propagation = "Background",
    ) -> None:
        """Delete an object."""
        self._wrote(resource, "delete")
        await self._cluster.delete(
            resource,
            name,
            namespace,
            uid=uid,
            resource_version=resource_version,
            propagation=propagation,
        )
