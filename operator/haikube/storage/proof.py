"""Whether the storage keeps its word about conditional writes: every lock of pushes rests on it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable
from contextlib import suppress

from haikube.storage.port import Changed, Storage, StorageError


class Unfit(Exception):
    """The storage takes writes that it has to refuse; the message says what to do."""


async def prove(storage: Storage) -> None:
    """Write, and overwrite under conditions that do not hold; raises ``Unfit``.

    A storage that does not answer is a ``StorageError``, which proves nothing.
    """
    key = f"proofs/{secrets.token_hex(8)}"
    try:
        first = await storage.swap(key, b"1", etag=None)
        await _must_refuse(storage.swap(key, b"2", etag=None), "If-None-Match: *")
        second = await storage.swap(key, b"3", etag=first)
        await _must_refuse(storage.swap(key, b"4", etag=first), "If-Match with an old ETag")
        found = await storage.read_version(key, limit=16)
        if found != (b"3", second):
            raise Unfit(f"The storage read back {found!r} for what was just written")
    finally:
        with suppress(StorageError):
            await storage.delete(key)


async def _must_refuse(write: Awaitable[str], condition: str) -> None:
    try:
        await write
    except Changed:
        return
    raise Unfit(
        f"The storage ignores {condition} on PUT, so two pushes at once could lose one another. "
        "Use one that honours conditional writes: AWS S3, SeaweedFS, MinIO or Cloudflare R2"
    )
