"""Runtimes that the platform makes from source: stored whole, and known by their digest."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from haikube.model.names import runtime_key
from haikube.storage.port import Storage

_CHUNK = 1 << 20


async def keep_runtime(
    storage: Storage, stack: str, runtime: str, archive: Path
) -> dict[str, object]:
    """Store an archive for a stack; returns its digest and its size in bytes."""
    digest, size = await asyncio.to_thread(_measured, archive)
    await storage.put(runtime_key(stack, runtime, digest), _chunks(archive))
    return {"digest": digest, "sizeBytes": size}


def _measured(archive: Path) -> tuple[str, int]:
    with archive.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return f"sha256:{digest}", archive.stat().st_size


async def _chunks(archive: Path) -> AsyncIterator[bytes]:
    with archive.open("rb") as content:
        while chunk := content.read(_CHUNK):
            yield chunk
