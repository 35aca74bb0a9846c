"""What people do to an app, on a simulated cluster or on a real API server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import builders as b
from haikube.cluster.port import Json
from haikube.model.meta import parse_meta
from haikube.model.resources import APPS, BUILDS, RELEASES, SECRETS, STACKS, Resource
from haikube.plan.children import owner_reference


class Wishes:
    """Somebody with a cluster; ``results`` is how builds will end, by name."""

    cluster: Any
    results: dict[str, Json]

    async def apply(self, kind: Resource, name: str, spec: Json) -> None:
        """Apply an object as the api does: what belongs to an app is owned by it."""
        metadata: Json = {"name": name}
        if kind != STACKS:
            metadata["namespace"] = b.NAMESPACE
        if app := (spec.get("appRef") or {}).get("name"):
            owner = await self.cluster.get(APPS, app, b.NAMESPACE)
            metadata["ownerReferences"] = [owner_reference(APPS, parse_meta(owner))]
        body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
        await self.cluster.apply(kind, {**body, "spec": spec}, manager="user")

    async def configure(self, app: str, values: Mapping[str, str]) -> None:
        body = {"data": b.encoded(values)}
        await self.cluster.patch(SECRETS, f"{app}-config", b.NAMESPACE, body)

    async def push(self, name: str, result: Json, app: str = "hello") -> None:
        """Create a Build, and say how it will end."""
        self.results[name] = result
        owner = await self.cluster.get(APPS, app, b.NAMESPACE)
        source = b.archive(owner["metadata"]["uid"])
        spec = {"appRef": {"name": app}, "source": source, "stack": "debian-13"}
        await self.apply(BUILDS, name, {**spec, "version": f"commit-{name}"})

    async def roll_back(self, app: str, version: int) -> None:
        """Ask for a rollback, as a person does: the operator gives the number."""
        metadata = {"generateName": f"{app}-rollback-", "namespace": b.NAMESPACE}
        body = {"apiVersion": RELEASES.api_version, "kind": RELEASES.kind, "metadata": metadata}
        spec = {"appRef": {"name": app}, "rollbackOf": version}
        await self.cluster.create(RELEASES, {**body, "spec": spec})
