"""The Kubernetes port over HTTP: the adapter for a real API server.

Nothing is cached and nothing decided here: one method, one request (a list: one per page).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from haikube.cluster.addresses import path
from haikube.cluster.channel import PROTOCOL, SocketChannel, parameters
from haikube.cluster.credentials import Credentials, static_token
from haikube.cluster.identity import load
from haikube.cluster.port import Channel, Json, Listing, Propagation, Stream, WatchEvent
from haikube.cluster.transport import Request, Sessions, Transport
from haikube.cluster.watching import events
from haikube.model.resources import PODS, SECRETS, Resource

PAGE = 500
WATCH_SECONDS = 300

_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"

Body = Mapping[str, Any]


class HttpCluster:
    """One API server as one identity sees it; ``async with`` closes its connections."""

    def __init__(self, credentials: Credentials, *, user_agent: str = "haikube") -> None:
        sessions = Sessions(credentials, user_agent)
        self._transport = Transport(sessions, credentials.token, bare=False)

    @classmethod
    def from_environment(
        cls, kubeconfig: str | Path | None = None, *, user_agent: str = "haikube"
    ) -> Self:
        """Connect as ``kubeconfig``, $KUBECONFIG or this pod's service account says."""
        return cls(load(kubeconfig), user_agent=user_agent)

    def with_token(self, token: str) -> HttpCluster:
        """Return a client that acts as the caller whose token this is, on our connections."""
        caller = HttpCluster.__new__(HttpCluster)
        caller._transport = Transport(  # noqa: SLF001 - another one of us
            self._transport.sessions, static_token(token), bare=True
        )
        return caller

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections, those of ``with_token`` included."""
        await self._transport.sessions.close()

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Json:
        """Return one object."""
        return await self._transport.call(_request("GET", resource, namespace, name, again=True))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> Listing:
        """Return all objects, read in pages."""
        params = {"limit": str(PAGE), **_selectors(labels, fields)}
        accept = _METADATA_ONLY if metadata_only else "application/json"
        items: list[Json] = []
        while True:
            page = await self._transport.call(
                _request("GET", resource, namespace, params=params, accept=accept, again=True)
            )
            items += [_typed(resource, item) for item in page.get("items") or ()]
            more = page["metadata"].get("continue")
            if not more:
                return Listing(tuple(items), page["metadata"]["resourceVersion"])
            params["continue"] = more

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
    ) -> AsyncGenerator[WatchEvent, None]:
        """Yield changes until the server ends the stream."""
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
            **_selectors(labels, fields),
        }
        if resource_version:
            params["resourceVersion"] = resource_version
        request = _request("GET", resource, namespace, params=params)
        async with (
            self._transport.stream(request) as content,
            aclosing(events(content.iter_any())) as changes,
        ):
            async for change in changes:
                yield change

    async def create(self, resource: Resource, body: Body) -> Json:
        """Create an object."""
        namespace = body["metadata"].get("namespace")
        return await self._transport.call(_request("POST", resource, namespace, body=body))

    async def apply(
        self, resource: Resource, body: Body, *, manager: str, force: bool = True
    ) -> Json:
        """Server-side apply."""
        return await self._apply(resource, body, "", manager, force=force)

    async def apply_status(self, resource: Resource, body: Body, *, manager: str) -> Json:
        """Server-side apply the status subresource."""
        return await self._apply(resource, body, "status", manager, force=True)

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        body: Body,
        *,
        subresource: str = "",
    ) -> Json:
        """Merge-patch an object."""
        return await self._transport.call(
            _request(
                "PATCH", resource, namespace, name, subresource, body=body, content_type=_MERGE
            )
        )

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
        conditions = {"uid": uid, "resourceVersion": resource_version}
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": {key: value for key, value in conditions.items() if value},
        }
        await self._transport.call(_request("DELETE", resource, namespace, name, body=body))

    async def pod_log(
        self,
        name: str,
        namespace: str,
        *,
        container: str = "",
        follow: bool = False,
        timestamps: bool = False,
        tail: int | None = None,
        since: str = "",
        previous: bool = False,
    ) -> AsyncGenerator[bytes, None]:
        """Yield chunks of a container's log."""
        wanted = {
            "follow": "true" if follow else "",
            "container": container,
            "timestamps": "true" if timestamps else "",
            "tailLines": "" if tail is None else str(tail),
            "sinceTime": since,
            "previous": "true" if previous else "",
        }
        params = {key: value for key, value in wanted.items() if value}
        request = _request("GET", PODS, namespace, name, "log", params=params, accept="*/*")
        async with self._transport.stream(request, may_be_silent=True) as content:
            async for chunk in content.iter_any():
                yield chunk

    @asynccontextmanager
    async def attach(self, stream: Stream) -> AsyncGenerator[Channel, None]:
        """Join the streams of a container, or of a new process in it."""
        place = path(PODS, stream.namespace, stream.pod, "exec" if stream.command else "attach")
        async with self._transport.socket(place, parameters(stream), PROTOCOL) as socket:
            yield SocketChannel(socket, place)

    async def _apply(
        self, resource: Resource, body: Body, subresource: str, manager: str, *, force: bool
    ) -> Json:
        metadata = body["metadata"]
        request = _request(
            "PATCH",
            resource,
            metadata.get("namespace"),
            metadata["name"],
            subresource,
            params={"fieldManager": manager, "force": "true" if force else "false"},
            body=body,
            content_type=_APPLY,
            again=True,
        )
        return await self._transport.call(request)


def _request(
    method: Any,  # noqa: ANN401 - one of Request's literals
    resource: Resource,
    namespace: str | None,
    name: str = "",
    subresource: str = "",
    **options: Any,  # noqa: ANN401 - Request's own fields
) -> Request:
    place = path(resource, namespace, name, subresource)
    return Request(method, place, secret=resource == SECRETS, **options)


def _selectors(labels: str, fields: str) -> dict[str, str]:
    wanted = {"labelSelector": labels, "fieldSelector": fields}
    return {key: value for key, value in wanted.items() if value}


def _typed(resource: Resource, item: Json) -> Json:
    """Add what the server leaves out of the items of a list."""
    item["apiVersion"], item["kind"] = resource.api_version, resource.kind
    return item
