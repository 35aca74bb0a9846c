"""What nodes, builders and gateways would do: pods run, builds end with a result, routes work."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import builders as b
from haikube.cluster.errors import ApiError, NotFound
from haikube.cluster.port import Cluster, Json
from haikube.model.meta import parse_meta
from haikube.model.names import result_key
from haikube.model.resources import BUILDS, HTTP_ROUTES, PODS, Resource
from haikube.storage.port import Storage

_OURS = "app.kubernetes.io/managed-by=haikube"


class Kubelet:
    """Plays the rest of the cluster for one namespace; ``results`` is how builds end, by name."""

    def __init__(self, cluster: Cluster, storage: Storage, results: dict[str, Json]) -> None:
        self._cluster = cluster
        self._storage = storage
        self._results = results
        self.last_action = 0.0
        self.endless: set[str] = set()
        """Builds and one-off dynos, by name, that run until somebody stops them."""

        self.slow_image = ""
        """Dynos of this image do not get ready, until ``catch_up``."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Act as long as the context lasts."""
        tasks = [
            asyncio.create_task(self._watch(PODS, self._run)),
            asyncio.create_task(self._watch(HTTP_ROUTES, self._accept)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def catch_up(self) -> None:
        """Let all dynos get ready that have been kept from it."""
        self.slow_image = ""
        for pod in (await self._cluster.list(PODS, b.NAMESPACE, labels=_OURS)).items:
            await self._run(pod)

    async def _watch(self, kind: Resource, act: Callable[[Json], Awaitable[None]]) -> None:
        while True:
            with contextlib.suppress(ApiError):
                async for event in self._cluster.watch(kind, b.NAMESPACE, labels=_OURS):
                    if event.type != "DELETED" and "deletionTimestamp" not in _meta(event.object):
                        with contextlib.suppress(ApiError):
                            await act(event.object)

    async def _run(self, pod: Json) -> None:
        """Take a pod one step further."""
        owner = _meta(pod)["ownerReferences"][0]
        container: Json = next(iter(pod.get("status", {}).get("containerStatuses") or ()), {})
        state = container.get("state", {})
        if "terminated" in state:
            return
        if owner["kind"] == "ReplicaSet":
            slow = pod["spec"]["containers"][0]["image"] == self.slow_image
            if not container.get("ready") and not slow:
                await self._report(pod, "Running", running(), ready=True)
        elif "running" not in state:
            await self._report(pod, "Running", running())
        elif owner["name"] in self.endless:
            return
        elif owner["kind"] == "Job" and owner["name"] in self._results and not container["ready"]:
            await self._hand_back(owner["name"])
            await self._report(pod, "Running", state, ready=True)
        else:
            await self._end(pod, owner["name"])

    async def _hand_back(self, name: str) -> None:
        """Store the result of a build, as the builder does before it says that it is ready."""
        meta = parse_meta(await self._cluster.get(BUILDS, name, b.NAMESPACE))
        key = result_key(str(meta.controller), meta.uid)
        await self._storage.put(key, _chunks(json.dumps(self._results[name]).encode()))

    async def _end(self, pod: Json, owner: str) -> None:
        code = 0 if self._results.get(owner, {}).get("ok", True) else 1
        ended = {"exitCode": code, "reason": "Completed", "startedAt": _now(), "finishedAt": _now()}
        await self._report(pod, "Failed" if code else "Succeeded", {"terminated": ended})

    async def _report(self, pod: Json, phase: str, state: Json, *, ready: bool = False) -> None:
        spec = pod["spec"]["containers"][0]
        container = {
            "name": spec["name"],
            "image": spec["image"],
            "imageID": "x",
            "started": True,
            "state": state,
            "lastState": {},
            "ready": ready,
            "restartCount": 0,
        }
        said = {"status": str(ready), "lastTransitionTime": _now()}
        conditions = [{"type": kind, **said} for kind in ("Ready", "ContainersReady")]
        status = {"phase": phase, "containerStatuses": [container], "conditions": conditions}
        await self._patch(PODS, pod, status)

    async def _accept(self, route: Json) -> None:
        if route.get("status", {}).get("parents"):
            return
        accepted = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "ok"}
        parents = [
            {
                "parentRef": parent,
                "controllerName": "faults.dev/gateway",
                "conditions": [{**accepted, "lastTransitionTime": _now()}],
            }
            for parent in route["spec"]["parentRefs"]
        ]
        await self._patch(HTTP_ROUTES, route, {"parents": parents})

    async def _patch(self, kind: Resource, obj: Json, status: Json) -> None:
        self.last_action = asyncio.get_running_loop().time()
        body = {"metadata": {"uid": _meta(obj)["uid"]}, "status": status}
        with contextlib.suppress(NotFound):
            await self._cluster.patch(
                kind, _meta(obj)["name"], b.NAMESPACE, body, subresource="status"
            )


def running() -> Json:
    """Return the state of a container that has just begun."""
    return {"running": {"startedAt": _now()}}


def _meta(obj: Json) -> Json:
    found: Json = obj["metadata"]
    return found


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _chunks(data: bytes) -> Any:
    yield data
