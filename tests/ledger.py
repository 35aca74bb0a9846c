"""The operator's part in an app's ledger, played on a cluster in memory.

An app has a release from its creation on; a changed config makes one, a rollback that is asked for
makes one, and so does a slug. What dynos there are follows from the formations.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from haikube.cluster.errors import AlreadyExists, NotFound
from haikube.cluster.fake import FakeCluster
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.names import config_secret_name, formation_name, release_name
from haikube.model.resources import APPS, FORMATIONS, PODS, RELEASES, SECRETS, Resource

NOW = "2026-01-01T00:00:00Z"
DIGEST = f"sha256:{'ab' * 32}"


class Ledger:
    """Follows apps, their configs, requests for rollbacks, and formations."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self._serials = itertools.count(1)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for resource, act in (
                (APPS, self._app),
                (SECRETS, self._secret),
                (RELEASES, self._request),
                (FORMATIONS, self._dynos),
            ):
                group.create_task(self._follow(resource, act))

    async def deploy(self, app: Json, types: Mapping[str, str] | None = None, **spec: Any) -> Json:
        """Release a new slug."""
        commands = types or {"web": "python app.py", "worker": "python work.py"}
        key = f"slugs/{app['metadata']['uid']}/{next(self._serials)}.tar.zst"
        listed = [{"name": name, "command": line} for name, line in commands.items()]
        slug = {"key": key, "digest": DIGEST, "sizeBytes": 1000, "processTypes": listed}
        made = await self._release(app, slug=slug, **{"description": "Deploy 1a2b3c4d", **spec})
        for name in commands:
            await self._formation(app, name, 1 if name == "web" else 0)
        return made

    async def fail(self, app: Json, types: Mapping[str, str]) -> Json:
        """Release a slug whose release phase fails."""
        listed = [{"name": name, "command": line} for name, line in types.items()]
        key = f"slugs/{app['metadata']['uid']}/{next(self._serials)}.tar.zst"
        slug = {"key": key, "digest": DIGEST, "sizeBytes": 1000, "processTypes": listed}
        return await self._release(app, slug=slug, description="Deploy bad", result="Failed")

    async def _follow(self, resource: Resource, act: Any) -> None:
        async for event in self._cluster.watch(resource):
            if event.type != "DELETED":
                await act(event.object)

    async def _app(self, app: Json) -> None:
        if not self._releases(app):
            await self._release(app, description="Initial release")

    async def _secret(self, secret: Json) -> None:
        meta = secret["metadata"]
        name = (meta.get("labels") or {}).get(labels.APP)
        if not name or meta["name"] != config_secret_name(name):
            return
        app = await self._cluster.get(APPS, name, meta["namespace"])
        if not self._releases(app):
            await self._app(app)
        notes = meta.get("annotations") or {}
        await self._release(
            app,
            config=secret,
            description="Set config vars",
            author=notes.get(labels.AUTHOR, ""),
        )

    async def _request(self, release: Json) -> None:
        spec, meta = release["spec"], release["metadata"]
        if spec.get("version"):
            return
        app = await self._cluster.get(APPS, spec["appRef"]["name"], meta["namespace"])
        old = next(
            each for each in self._releases(app) if each["spec"]["version"] == spec["rollbackOf"]
        )
        await self._release(
            app,
            slug=old["spec"]["slug"],
            description=spec.get("description") or f"Rollback to v{spec['rollbackOf']}",
            author=spec.get("author", ""),
            notes={labels.REQUESTED_BY: meta["uid"]},
            config=await self._snapshot(old),
        )
        await self._cluster.delete(RELEASES, meta["name"], meta["namespace"])

    async def _snapshot(self, release: Json) -> Json:
        meta = release["metadata"]
        return await self._cluster.get(SECRETS, meta["name"], meta["namespace"])

    async def _release(
        self,
        app: Json,
        *,
        description: str,
        slug: Json | None = None,
        author: str = "",
        config: Json | None = None,
        notes: Mapping[str, str] | None = None,
        result: str = "Succeeded",
    ) -> Json:
        before = self._releases(app)
        latest = before[-1] if before else None
        version = latest["spec"]["version"] + 1 if latest else 1
        meta, name = app["metadata"], release_name(app["metadata"]["name"], version)
        slug = slug or (latest["spec"].get("slug") if latest else None)
        config = config or await self._config(app)
        seen = str((config or {}).get("metadata", {}).get("resourceVersion") or 0)
        self._cluster.seed(
            SECRETS,
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": meta["namespace"]},
                "data": (config or {}).get("data") or {},
            },
        )
        made = self._cluster.seed(
            RELEASES,
            {
                "apiVersion": RELEASES.api_version,
                "kind": "Release",
                "metadata": {
                    "name": name,
                    "namespace": meta["namespace"],
                    "labels": {labels.APP: meta["name"], labels.APP_UID: meta["uid"]},
                    "annotations": {labels.CONFIG_VERSION: seen, **(notes or {})},
                    "ownerReferences": [_owner(app)],
                },
                "spec": {
                    "appRef": {"name": meta["name"]},
                    "version": version,
                    "stack": "debian-13",
                    "configRef": {"name": name},
                    "description": description,
                    **({"slug": slug} if slug else {}),
                    **({"author": author} if author else {}),
                },
                "status": {"result": result, "current": result == "Succeeded"},
            },
        )
        if result == "Succeeded":
            self._retire(before)
        return made

    def _retire(self, releases: Sequence[Json]) -> None:
        for each in releases:
            if each["status"].get("current"):
                self._cluster.seed(
                    RELEASES, {**each, "status": {**each["status"], "current": False}}
                )

    async def _config(self, app: Json) -> Json | None:
        meta = app["metadata"]
        try:
            return await self._cluster.get(
                SECRETS, config_secret_name(meta["name"]), meta["namespace"]
            )
        except NotFound:
            return None

    def _releases(self, app: Json) -> list[Json]:
        found = self._cluster._state.of(RELEASES).values()
        mine = (
            each
            for each in found
            if each["spec"]["appRef"]["name"] == app["metadata"]["name"]
            and each["metadata"]["namespace"] == app["metadata"]["namespace"]
            and each["spec"].get("version")
        )
        return sorted(mine, key=lambda each: int(each["spec"]["version"]))

    async def _formation(self, app: Json, process_type: str, quantity: int) -> None:
        meta = app["metadata"]
        body = {
            "apiVersion": FORMATIONS.api_version,
            "kind": "Formation",
            "metadata": {
                "name": formation_name(meta["name"], process_type),
                "namespace": meta["namespace"],
                "labels": {labels.APP: meta["name"], labels.APP_UID: meta["uid"]},
                "ownerReferences": [_owner(app)],
            },
            "spec": {
                "appRef": {"name": meta["name"]},
                "processType": process_type,
                "quantity": quantity,
                "size": "basic",
            },
        }
        try:
            await self._cluster.create(FORMATIONS, body)
        except AlreadyExists:
            return

    async def _dynos(self, formation: Json) -> None:
        """Have as many pods as wanted, all of them up."""
        meta, spec = formation["metadata"], formation["spec"]
        for number in itertools.count(1):
            name = f"{meta['name']}-{number}"
            there = (meta["namespace"], name) in self._cluster._state.of(PODS)
            if number <= spec["quantity"] and not there:
                self._cluster.seed(PODS, self._pod(formation, name, number))
            elif number > spec["quantity"]:
                if not there:
                    return
                await self._cluster.delete(PODS, name, meta["namespace"])

    def _pod(self, formation: Json, name: str, number: int) -> Json:
        meta, spec = formation["metadata"], formation["spec"]
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": NOW}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": meta["namespace"],
                "labels": {
                    labels.APP: spec["appRef"]["name"],
                    labels.APP_UID: meta["labels"][labels.APP_UID],
                    labels.COMPONENT: "dyno",
                    labels.FORMATION: meta["name"],
                },
                "annotations": {labels.DYNO: f"{spec['processType']}.{number}"},
                "ownerReferences": meta["ownerReferences"],
            },
            "status": {
                "phase": "Running",
                "conditions": [ready],
                "containerStatuses": [{"state": {"running": {"startedAt": NOW}}, "ready": True}],
            },
        }


def _owner(app: Json) -> Json:
    meta = app["metadata"]
    return {
        "apiVersion": APPS.api_version,
        "kind": "App",
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
    }
