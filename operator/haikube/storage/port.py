"""The object-storage port: where slugs, sources, caches, git packs and build logs live.

Keys come from ``model.names`` alone. Only the operator and the api hold credentials; pods get
presigned URLs of single objects.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol


class StorageError(Exception):
    """The storage did not do what was asked; the message names the key and the cause."""


class MissingObject(StorageError):
    """No object under that key."""


class Changed(StorageError):
    """A conditional write lost: somebody else wrote the object first."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One object as the storage lists it; ``size`` in bytes."""

    key: str
    size: int
    modified: datetime
    etag: str


class Storage(Protocol):
    """Every call raises ``StorageError`` when the storage is down or refuses."""

    async def get(self, key: str, *, limit: int) -> bytes:
        """Return an object of at most ``limit`` bytes; a larger one is a ``StorageError``."""
        ...

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield an object in chunks."""
        ...

    async def put(self, key: str, data: bytes | AsyncIterable[bytes]) -> None:
        """Store an object; nothing is visible under the key until all of it arrived."""
        ...

    async def read_version(self, key: str, *, limit: int) -> tuple[bytes, str]:
        """Return a small object with its etag, for a later ``swap``."""
        ...

    async def swap(self, key: str, data: bytes, *, etag: str | None) -> str:
        """Store if the object still has ``etag`` (None: does not exist); returns the new etag.

        Raises ``Changed`` when it does not.
        """
        ...

    async def head(self, key: str) -> Stored:
        """Return what is known of an object without reading it."""
        ...

    def list(self, prefix: str) -> AsyncIterator[Stored]:
        """Yield every object whose key starts with ``prefix``."""
        ...

    async def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""
        ...

    async def presign(self, method: Literal["GET", "PUT"], key: str, seconds: int) -> str:
        """Return a URL for ``method`` on this one object, good for ``seconds`` (at most 7 d)."""
        ...
