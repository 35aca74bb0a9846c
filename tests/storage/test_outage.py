"""A storage that is away for a moment is waited for; one that stays away is waited for once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from haikube.settings import Settings
from haikube.storage import s3
from haikube.storage.outage import REMEMBERED, Outage
from haikube.storage.port import MissingObject, Storage, StorageError
from haikube.storage.s3 import S3Storage

RESTART = 12
"""Requests that a storage refuses which starts again: as many as a client makes in some seconds."""

CALLS: dict[str, Callable[[Storage], Awaitable[object]]] = {
    "get": lambda storage: storage.get("a", limit=9),
    "head": lambda storage: storage.head("a"),
    "put": lambda storage: storage.put("a", b"x"),
    "swap": lambda storage: storage.swap("a", b"x", etag=None),
    "delete": lambda storage: storage.delete("a"),
    "list": lambda storage: _all(storage.list("a/")),
    "stream": lambda storage: _all(storage.stream("a")),
}


async def _all(items: AsyncIterator[object]) -> list[object]:
    return [item async for item in items]


class Restarting:
    """An S3 server that answers 503 to the first requests, or else, and then knows no object."""

    def __init__(self, refused: int, first: str, then: str) -> None:
        self._refused = refused
        self._first = first.encode()
        self._then = then.encode()
        self.requests = 0
        self.endpoint = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        up = self.requests > self._refused
        status = self._then if up else self._first
        ends = b'\r\nETag: "1"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
        writer.write(b"HTTP/1.1 " + status + ends)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def restarting(
    refused: int, first: str = "503 Service Unavailable", then: str = "404 Not Found"
) -> AsyncIterator[Restarting]:
    double = Restarting(refused, first, then)
    async with await asyncio.start_server(double.answer, "127.0.0.1", 0) as server:
        double.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield double


def client(endpoint: str) -> S3Storage:
    return S3Storage(
        Settings(
            storage_endpoint=endpoint,
            storage_access_key=SecretStr("key"),
            storage_secret_key=SecretStr("secret"),
        )
    )


async def test_a_storage_that_starts_again_is_waited_for() -> None:
    async with restarting(RESTART) as server:
        with pytest.raises(MissingObject):
            await client(server.endpoint).head("a")
        assert server.requests == RESTART + 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_one_that_stays_away_is_waited_for_once(
    call: Callable[[Storage], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "PATIENCE", timedelta(milliseconds=300))
    monkeypatch.setattr(s3, "_HASTE", timedelta())
    async with restarting(10**9) as server:
        storage = client(server.endpoint)
        with pytest.raises(StorageError):
            await storage.head("first")
        waited, server.requests = server.requests, 0
        with pytest.raises(StorageError):
            await call(storage)
        assert waited > 1
        assert server.requests == 1


async def test_what_is_put_where_no_place_is_yet_is_put_once_more() -> None:
    async with restarting(1, first="404 Not Found", then="200 OK") as server:
        await client(server.endpoint).put("sources/1/a", b"x")
        assert server.requests == 2


async def test_an_answer_that_is_a_refusal_is_no_outage() -> None:
    async with restarting(0) as server:
        storage = client(server.endpoint)
        with pytest.raises(StorageError):
            await storage.put("a", b"x")
        server.requests, server._refused = 0, RESTART
        with pytest.raises(MissingObject):
            await storage.head("a")


def test_an_outage_is_forgotten_after_a_while() -> None:
    now = 100.0
    outage = Outage(lambda: now)
    assert not outage.lasts
    outage.note()
    now += REMEMBERED - 1
    assert outage.lasts
    outage.note()
    now += REMEMBERED - 1
    assert outage.lasts, "the last failure counts, not the first"
    now += 1
    assert not outage.lasts
