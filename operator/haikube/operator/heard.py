"""Notice every byte of a watch, bookmarks too: kopf keeps those to itself.

A quiet kind and a dead watch look the same in the events alone. A bookmark arrives every minute,
so a watch that brings not even that is dead; ``/healthz`` says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from haikube.cluster.text import decoded

Heard = Callable[[str], None]
"""Called with the path of a watch whenever something arrives on it."""


class _Noted:
    """A stream that tells of every chunk read from it."""

    def __init__(self, stream: aiohttp.StreamReader, note: Callable[[], None]) -> None:
        self._stream = stream
        self._note = note

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield the chunks of the stream."""
        async for chunk in self._stream.iter_chunked(size):
            self._note()
            yield chunk


def heard_response(heard: Heard) -> type[aiohttp.ClientResponse]:
    """Return a response class whose watches are heard, and which reads JSON as we do."""

    class HeardResponse(aiohttp.ClientResponse):
        async def start(self, connection: Any) -> aiohttp.ClientResponse:  # noqa: ANN401 - as above it
            response = await super().start(connection)
            if self.url.query.get("watch") == "true":
                path = self.url.path
                heard(path)
                noted: Any = _Noted(self.content, lambda: heard(path))
                self.content = noted
            return response

        async def json(self, **options: Any) -> Any:  # noqa: ANN401 - any JSON
            del options
            return decoded(await self.read())

    return HeardResponse
