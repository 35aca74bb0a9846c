"""Object storage in memory, for tests: the same contract as S3, and failures on demand."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime
from itertools import count
from typing import Final, Literal

from haikube.storage.port import Changed, MissingObject, StorageError, Stored

_CHUNK: Final = 1 << 20


class MemoryStorage:
    """Objects in a dict; while ``down`` holds a text every call fails with it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.down = ""
        self._written: dict[str, tuple[str, datetime]] = {}
        self._serial = count(1)

    async def get(self, key: str, *, limit: int) -> bytes:
        """Return an object of at most ``limit`` bytes."""
        return (await self.read_version(key, limit=limit))[0]

    async def read_version(self, key: str, *, limit: int) -> tuple[bytes, str]:
        """Return a small object with its etag."""
        stored = await self.head(key)
        if stored.size > limit:
            raise StorageError(
                f"object {key} has {stored.size} bytes, more than the {limit} expected"
            )
        return self.objects[key], stored.etag

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield an object in chunks of 1 MiB."""
        await self.head(key)
        data = self.objects[key]
        for start in range(0, len(data), _CHUNK):
            self._require_up("get", key)
            yield data[start : start + _CHUNK]

    async def put(self, key: str, data: bytes | AsyncIterable[bytes]) -> None:
        """Store an object once all of it arrived."""
        self._require_up("put", key)
        body = data if isinstance(data, bytes) else b"".join([chunk async for chunk in data])
        self._require_up("put", key)
        self._store(key, body)

    async def swap(self, key: str, data: bytes, *, etag: str | None) -> str:
        """Store if the object still has ``etag``, or does not exist when that is None."""
        self._require_up("put", key)
        if self._written.get(key, (None,))[0] != etag:
            raise Changed(f"object {key} was written by somebody else: read it again")
        return self._store(key, data)

    async def head(self, key: str) -> Stored:
        """Return what is known of an object."""
        self._require_up("head", key)
        if key not in self.objects:
            raise MissingObject(f"no object {key} in the storage")
        etag, modified = self._written[key]
        return Stored(key, len(self.objects[key]), modified, etag)

    async def list(self, prefix: str) -> AsyncIterator[Stored]:
        """Yield every object below ``prefix``."""
        self._require_up("list", prefix)
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield await self.head(key)

    async def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""
        self._require_up("delete", key)
        self.objects.pop(key, None)
        self._written.pop(key, None)

    async def presign(self, method: Literal["GET", "PUT"], key: str, seconds: int) -> str:
        """Return a URL nobody can fetch, that tells what was asked for."""
        self._require_up("presign", key)
        return f"memory://{key}?method={method}&seconds={seconds}"

    def age(self, key: str, modified: datetime) -> None:
        """Pretend that an object was stored at ``modified``."""
        self._written[key] = (self._written[key][0], modified)

    def _store(self, key: str, data: bytes) -> str:
        digest = hashlib.sha256(data + str(next(self._serial)).encode()).hexdigest()
        self.objects[key] = data
        self._written[key] = (digest, datetime.now(UTC))
        return digest

    def _require_up(self, act: str, key: str) -> None:
        if self.down:
            raise StorageError(f"storage: {act} of {key} failed: {self.down}")
