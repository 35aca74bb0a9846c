"""The Kubernetes port: what the rest of Haikube may ask of a cluster.

``http`` is the adapter for a real API server, ``fake`` the one in memory; both pass
``tests/contract``. Nothing here knows a Heroku word.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from haikube.model.resources import Resource

Json = dict[str, Any]
Propagation = Literal["Background", "Foreground", "Orphan"]


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of one kind at one moment."""

    items: tuple[Json, ...]
    resource_version: str


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change as the API server reports it; ``object`` is whole."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: Json


@dataclass(frozen=True, slots=True)
class Stream:
    """Which streams: those of a container's first process, or with ``command`` of a new one."""

    pod: str
    namespace: str
    container: str
    tty: bool
    command: tuple[str, ...] = ()


class Channel(Protocol):
    """The streams of one process, joined; order is kept, and a slow side slows the other down."""

    async def send(self, data: bytes) -> None:
        """Give input; raises ``ConnectionError`` when nobody takes it any more."""
        ...

    async def end_input(self) -> None:
        """Close the input."""
        ...

    async def resize(self, columns: int, rows: int) -> None:
        """Say how large the terminal is."""
        ...

    def output(self) -> AsyncIterator[bytes]:
        """Yield what is printed until the process ends; raises ``Unreachable`` when cut off."""
        ...

    @property
    def exit_code(self) -> int | None:
        """Return how a process of its own ended; None for a container's, and before the end."""
        ...


class Cluster(Protocol):
    """Every call raises a subclass of ``errors.ApiError`` when the API server refuses."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Json:
        """Return one object."""
        ...

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> Listing:
        """Return all objects, read in pages of 500; ``metadata_only`` drops spec and status."""
        ...

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
    ) -> AsyncIterator[WatchEvent]:
        """Yield changes after ``resource_version`` until the server ends the stream.

        Raises ``errors.Expired`` when that version is too old: list again.
        """
        ...

    async def create(self, resource: Resource, body: Mapping[str, Any]) -> Json:
        """Create an object; raises ``errors.AlreadyExists``."""
        ...

    async def apply(
        self, resource: Resource, body: Mapping[str, Any], *, manager: str, force: bool = True
    ) -> Json:
        """Server-side apply; a ``metadata.uid`` in the body guards against replacement."""
        ...

    async def apply_status(
        self, resource: Resource, body: Mapping[str, Any], *, manager: str
    ) -> Json:
        """Server-side apply the status subresource; ``body`` holds apiVersion to status."""
        ...

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
        ...

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
        """Delete an object; uid and resource version are preconditions (``errors.Conflict``)."""
        ...

    def pod_log(
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
    ) -> AsyncIterator[bytes]:
        """Yield chunks of a container's log as the kubelet delivers them.

        ``tail`` counts lines, ``since`` is RFC 3339 and goes by the second; ``previous`` is the
        container before the last restart.
        """
        ...

    def attach(self, stream: Stream) -> AbstractAsyncContextManager[Channel]:
        """Join the streams of a container, or of a new process in it."""
        ...
