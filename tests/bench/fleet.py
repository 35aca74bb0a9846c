"""A namespace full of Apps, each with a deploy that has just been built."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from bench.client import Bare, Json
from haikube.model import labels
from haikube.model.names import formation_name, slug_key
from haikube.model.resources import APPS, BUILDS, FORMATIONS, NAMESPACES, Resource

TYPES = ("web", "worker")
_DIGEST = f"sha256:{'0' * 64}"


@dataclass(frozen=True)
class Fleet:
    """``size`` Apps in one namespace, each process type with ``dynos`` dynos."""

    namespace: str
    size: int
    dynos: int = 0

    @property
    def names(self) -> Iterator[str]:
        """Yield the names of the Apps."""
        return (f"app-{number:05d}" for number in range(self.size))

    async def make(self, client: Bare) -> None:
        """Make the namespace and all Apps with a finished build and their formations."""
        marks = {labels.TEAM: self.namespace}
        await client.create(NAMESPACES, {"metadata": {"name": self.namespace, "labels": marks}})
        await asyncio.gather(*(self._app(client, name) for name in self.names))

    async def _app(self, client: Bare, name: str) -> None:
        app = await client.create(APPS, self._body(APPS, name, {}))
        for process_type in TYPES:
            spec = {"appRef": {"name": name}, "processType": process_type, "quantity": self.dynos}
            body = self._owned(app, FORMATIONS, formation_name(name, process_type), spec)
            await client.create(FORMATIONS, body)
        await self.build(client, app, 1)

    async def build(self, client: Bare, app: Json, number: int) -> None:
        """Make a build of an App that has just succeeded."""
        name = app["metadata"]["name"]
        key = f"sources/{app['metadata']['uid']}/none.tar.zst"
        source = {"archive": {"key": key, "digest": _DIGEST, "sizeBytes": 1}}
        spec = {"appRef": {"name": name}, "source": source, "version": str(number)}
        body = self._owned(app, BUILDS, f"{name}-{number}", spec)
        build = await client.create(BUILDS, body)
        await client.create(BUILDS, {**build, "status": self._built(app, build)}, "status")

    def _body(self, resource: Resource, name: str, spec: Json) -> Json:
        return {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }

    def _owned(self, app: Json, resource: Resource, name: str, spec: Json) -> Json:
        made = self._body(resource, name, spec)
        owner = app["metadata"]
        made["metadata"]["labels"] = {labels.APP: owner["name"], labels.APP_UID: owner["uid"]}
        made["metadata"]["ownerReferences"] = [
            {
                "apiVersion": APPS.api_version,
                "kind": APPS.kind,
                "name": owner["name"],
                "uid": owner["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        return made

    def _built(self, app: Json, build: Json) -> Json:
        """Return the status of a build that has succeeded, as the operator writes it."""
        moment = build["metadata"]["creationTimestamp"]
        done = {
            "status": "True",
            "reason": "BuildSucceeded",
            "message": "built in 1s",
            "lastTransitionTime": moment,
            "observedGeneration": 1,
        }
        return {
            "observedGeneration": 1,
            "result": "Succeeded",
            "stack": "debian-13",
            "startedAt": moment,
            "finishedAt": moment,
            "slug": {
                "key": slug_key(app["metadata"]["uid"], build["metadata"]["uid"]),
                "digest": _DIGEST,
                "sizeBytes": 1000,
                "processTypes": [{"name": each, "command": "true"} for each in TYPES],
            },
            "conditions": [{"type": each, **done} for each in ("Ready", "Succeeded", "SlugStored")],
        }


def is_ready(app: Json) -> bool:
    """Return whether an App serves what is declared, its newest release included."""
    status = app.get("status", {})
    ready = any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in status.get("conditions", ())
    )
    return ready and (status.get("currentRelease") or {}).get("version", 0) > 1
