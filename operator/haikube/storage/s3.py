"""Object storage by the S3 protocol: any server that honours conditional puts.

Retries what a retry can help; every other failure becomes a ``StorageError`` that names the key
and the remedy. It must never put a credential or a signature into a message.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import obstore
from obstore import exceptions
from obstore.store import S3Store

from haikube.settings import Settings
from haikube.storage.cause import is_away, remedy
from haikube.storage.outage import Outage
from haikube.storage.port import Changed, MissingObject, StorageError, Stored

if TYPE_CHECKING:  # obstore has these types in its stubs alone
    from obstore.store import BackoffConfig, ClientConfig, RetryConfig, S3Config

_CHUNK: Final = 1 << 20
_PART: Final = 8 << 20
_PARTS_AT_ONCE: Final = 4
PATIENCE: Final = timedelta(seconds=10)
"""How long one call waits for a storage that is away: one process that starts again needs 3 s."""

_HASTE: Final = timedelta(seconds=1)
"""How long a call waits that comes when another has just waited in vain."""

_PLACE_SECONDS: Final = 0.5
"""What a storage takes at most to make the place of an object that it said is not there."""

_RETRIES_AT_MOST: Final = 1000  # the time ends them: of so many with jitter nobody knows how long
_BACKOFF: BackoffConfig = {  # short at first: the losers of a racing swap are told "busy"
    "init_backoff": timedelta(milliseconds=30),
    "max_backoff": timedelta(milliseconds=500),
    "base": 2,
}
_LONGEST_PRESIGN: Final = 7 * 86_400


class S3Storage:
    """One bucket of an S3 server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._patient = _connect(settings, PATIENCE)
        self._hasty = _connect(settings, _HASTE)
        self._outage = Outage()

    @property
    def _store(self) -> S3Store:
        return self._hasty if self._outage.lasts else self._patient

    async def get(self, key: str, *, limit: int) -> bytes:
        """Return an object of at most ``limit`` bytes."""
        return (await self.read_version(key, limit=limit))[0]

    async def read_version(self, key: str, *, limit: int) -> tuple[bytes, str]:
        """Return a small object with its etag."""
        with self._errors("get", key):
            result = await obstore.get_async(self._store, key)
            size = result.meta["size"]
            if size > limit:
                raise StorageError(f"object {key} has {size} bytes, more than the {limit} expected")
            return bytes(await result.bytes_async()), result.meta["e_tag"] or ""

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """Yield an object in chunks of about 1 MiB."""
        with self._errors("get", key):
            result = await obstore.get_async(self._store, key)
            chunks = result.stream(min_chunk_size=_CHUNK).__aiter__()
        while True:
            with self._errors("get", key):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield bytes(chunk)

    async def put(self, key: str, data: bytes | AsyncIterable[bytes]) -> None:
        """Store an object; one that fits into a single part takes a single request."""
        body = data if isinstance(data, bytes) else await _first_part(data)
        try:
            await self._put_once_more(key, body)
        except MissingObject as error:  # of the bucket, or of an upload: never of the object
            cause = remedy(error.__cause__ or error, self._settings)
            raise StorageError(f"storage: put of {key} failed: {cause}") from None

    async def _put_once_more(self, key: str, body: bytes | AsyncIterator[bytes]) -> None:
        """Store an object, once more if its place is not there yet: seen of one just started."""
        try:
            await self._put(key, body)
        except MissingObject:
            if not isinstance(body, bytes):
                raise
            await asyncio.sleep(_PLACE_SECONDS)
            await self._put(key, body)

    async def _put(self, key: str, body: bytes | AsyncIterator[bytes]) -> None:
        with self._errors("put", key):
            await obstore.put_async(
                self._store, key, body, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE
            )

    async def swap(self, key: str, data: bytes, *, etag: str | None) -> str:
        """Store if the object still has ``etag``, or does not exist when that is None."""
        mode: Literal["create"] | obstore.UpdateVersion
        mode = "create" if etag is None else {"e_tag": etag}
        try:
            with self._errors("put", key):
                result = await obstore.put_async(self._store, key, data, mode=mode)
        except MissingObject as error:
            raise Changed(f"object {key} was deleted meanwhile: read it again") from error
        return result["e_tag"] or ""

    async def head(self, key: str) -> Stored:
        """Return what is known of an object without reading it."""
        with self._errors("head", key):
            return _stored(await obstore.head_async(self._store, key))

    async def list(self, prefix: str) -> AsyncIterator[Stored]:
        """Yield every object below ``prefix``, which ends with a slash or is empty."""
        pages = obstore.list(self._store, prefix=prefix).__aiter__()
        while True:
            try:
                with self._errors("list", prefix):
                    page = await anext(pages, None)
            except MissingObject:  # no bucket yet: nothing was ever stored
                return
            if page is None:
                return
            for item in page:
                yield _stored(item)

    async def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""
        try:
            with self._errors("delete", key):
                await obstore.delete_async(self._store, key)
        except MissingObject:
            return

    async def presign(self, method: Literal["GET", "PUT"], key: str, seconds: int) -> str:
        """Return a URL for ``method`` on this one object, good for at most seven days.

        With given keys nobody is asked; to wait for a thread would cost ten times more.
        """
        life = timedelta(seconds=min(seconds, _LONGEST_PRESIGN))
        with self._errors("presign", key):
            return obstore.sign(self._store, method, key, life)

    @contextmanager
    def _errors(self, act: str, key: str) -> Iterator[None]:
        """Turn what obstore raises into errors of the port."""
        try:
            yield
        except FileNotFoundError as error:
            raise MissingObject(f"no object {key} in the storage") from error
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as error:
            raise Changed(f"object {key} was written by somebody else: read it again") from error
        except (exceptions.BaseError, OSError, ValueError) as error:
            if "<Code>NoSuchBucket</Code>" in str(error):  # the first put makes it
                raise MissingObject(f"no object {key} in the storage, it is empty") from None
            if is_away(error):
                self._outage.note()
            cause = remedy(error, self._settings)
            raise StorageError(f"storage: {act} of {key or 'the bucket'} failed: {cause}") from None


def _connect(settings: Settings, patience: timedelta) -> S3Store:
    """Return a client whose calls wait for a storage that is away; seconds of silence count."""
    retries: RetryConfig = {
        "max_retries": _RETRIES_AT_MOST,
        "retry_timeout": patience,
        "backoff": _BACKOFF,
    }
    client: ClientConfig = {
        "connect_timeout": "3s",
        "read_timeout": "10s",
        "timeout": "30m",
        "allow_http": settings.storage_endpoint.startswith("http://"),
    }
    return S3Store(
        settings.storage_bucket,
        config=_address(settings),
        region=settings.storage_region,
        conditional_put="etag",
        client_options=client,
        retry_config=retries,
    )


def _address(settings: Settings) -> S3Config:
    """Return endpoint and credentials; what is empty is left to the AWS environment."""
    config: S3Config = {}
    if settings.storage_endpoint:
        config["endpoint"] = settings.storage_endpoint
    if access_key := settings.storage_access_key.get_secret_value():
        config["access_key_id"] = access_key
        config["secret_access_key"] = settings.storage_secret_key.get_secret_value()
    return config


def _stored(meta: obstore.ObjectMeta) -> Stored:
    return Stored(meta["path"], meta["size"], meta["last_modified"], meta["e_tag"] or "")


async def _first_part(data: AsyncIterable[bytes]) -> bytes | AsyncIterator[bytes]:
    """Return the bytes themselves when all of them fit into one part."""
    chunks = aiter(data)
    head = bytearray()
    async for chunk in chunks:
        head += chunk
        if len(head) >= _PART:
            return _rejoined(bytes(head), chunks)
    return bytes(head)


async def _rejoined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk
