"""Watch streams: lines of JSON, cut from chunks, read as events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from haikube.cluster.errors import Unreachable, from_status
from haikube.cluster.port import Json, WatchEvent
from haikube.cluster.text import decoded

LONGEST_LINE = 16 << 20
"""Far over the largest object that etcd takes; a longer line is no Kubernetes API."""


async def lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield whole lines; a last one without its end is lost with the connection."""
    buffer = bytearray()
    async for chunk in chunks:
        buffer += chunk
        *whole, rest = buffer.split(b"\n")
        for line in whole:
            if line:
                yield bytes(line)
        buffer = rest
        if len(buffer) > LONGEST_LINE:
            raise Unreachable(0, "Unreachable", f"a watch line is over {LONGEST_LINE} bytes")


async def events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[WatchEvent, None]:
    """Yield the changes of a watch stream; bookmarks only prove that it lives."""
    async for line in lines(chunks):
        kind, obj = _read(line)
        if kind == "ERROR":
            raise from_status(
                int(obj.get("code", 0)), obj.get("reason", ""), obj.get("message", "")
            )
        if kind != "BOOKMARK":
            yield WatchEvent(kind, obj)


def _read(line: bytes) -> tuple[Any, Json]:
    try:
        event = decoded(line)
        return event["type"], event["object"]
    except (ValueError, TypeError, KeyError) as error:
        raise Unreachable(0, "Unreachable", "a watch brought something that is no event") from error
