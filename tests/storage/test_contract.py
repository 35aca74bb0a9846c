"""What every storage adapter must do, read from the port."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from haikube.storage.port import Changed, MissingObject, Storage, StorageError


@pytest.fixture
def prefix() -> str:
    return f"sources/{uuid.uuid4()}/"


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def broken(size: int) -> AsyncIterator[bytes]:
    yield b"x" * size
    raise ConnectionResetError("the client went away")


async def read(storage: Storage, key: str) -> bytes:
    return b"".join([chunk async for chunk in storage.stream(key)])


async def keys(storage: Storage, prefix: str) -> list[str]:
    return [stored.key async for stored in storage.list(prefix)]


async def test_returns_what_was_put(storage: Storage, prefix: str) -> None:
    await storage.put(prefix + "a", b"hello")
    assert await storage.get(prefix + "a", limit=5) == b"hello"
    assert await read(storage, prefix + "a") == b"hello"


@pytest.mark.parametrize("parts", [(), (b"",), (b"one", b"", b"two"), (b"x" * 5_000_000,) * 4])
async def test_puts_streams_of_any_length(
    storage: Storage, prefix: str, parts: tuple[bytes, ...]
) -> None:
    await storage.put(prefix + "a", chunks(*parts))
    assert await read(storage, prefix + "a") == b"".join(parts)


@pytest.mark.parametrize("size", [10, 20_000_000])
async def test_nothing_is_visible_of_a_stream_that_breaks(
    storage: Storage, prefix: str, size: int
) -> None:
    with pytest.raises((ConnectionResetError, StorageError)):
        await storage.put(prefix + "a", broken(size))
    assert await keys(storage, prefix) == []


async def test_a_later_put_replaces(storage: Storage, prefix: str) -> None:
    await storage.put(prefix + "a", b"first, and longer")
    await storage.put(prefix + "a", b"second")
    assert await storage.get(prefix + "a", limit=99) == b"second"


async def test_refuses_more_than_the_limit(storage: Storage, prefix: str) -> None:
    await storage.put(prefix + "a", b"123456")
    with pytest.raises(StorageError, match="has 6 bytes, more than the 5 expected"):
        await storage.get(prefix + "a", limit=5)


async def test_a_missing_object_is_named(storage: Storage, prefix: str) -> None:
    for call in (
        storage.get(prefix + "no", limit=1),
        storage.head(prefix + "no"),
        storage.read_version(prefix + "no", limit=1),
        read(storage, prefix + "no"),
    ):
        with pytest.raises(MissingObject, match=prefix + "no"):
            await call


async def test_delete_is_idempotent(storage: Storage, prefix: str) -> None:
    await storage.put(prefix + "a", b"1")
    await storage.delete(prefix + "a")
    await storage.delete(prefix + "a")
    assert await keys(storage, prefix) == []


async def test_lists_only_below_the_prefix(storage: Storage, prefix: str) -> None:
    for name in ("a", "deep/b", "c"):
        await storage.put(prefix + name, b"12")
    found = [stored async for stored in storage.list(prefix)]
    assert [stored.key for stored in found] == [prefix + name for name in ("a", "c", "deep/b")]
    assert {stored.size for stored in found} == {2}
    now = datetime.now(UTC)
    assert all(
        now - timedelta(minutes=1) < stored.modified < now + timedelta(minutes=1)
        for stored in found
    )


async def test_lists_more_than_one_page(storage: Storage, prefix: str) -> None:
    names = [f"{prefix}{number:04}" for number in range(1_050)]
    for start in range(0, len(names), 50):
        await asyncio.gather(*(storage.put(name, b"") for name in names[start : start + 50]))
    assert await keys(storage, prefix) == names


async def test_swap_creates_only_once(storage: Storage, prefix: str) -> None:
    await storage.swap(prefix + "refs", b"1", etag=None)
    with pytest.raises(Changed, match=prefix + "refs"):
        await storage.swap(prefix + "refs", b"2", etag=None)
    assert await storage.get(prefix + "refs", limit=9) == b"1"


async def test_swap_replaces_only_what_was_read(storage: Storage, prefix: str) -> None:
    first = await storage.swap(prefix + "refs", b"1", etag=None)
    data, etag = await storage.read_version(prefix + "refs", limit=9)
    assert (data, etag) == (b"1", first)
    second = await storage.swap(prefix + "refs", b"2", etag=etag)
    with pytest.raises(Changed):
        await storage.swap(prefix + "refs", b"3", etag=etag)
    assert await storage.read_version(prefix + "refs", limit=9) == (b"2", second)


async def test_swap_does_not_bring_back_what_was_deleted(storage: Storage, prefix: str) -> None:
    etag = await storage.swap(prefix + "refs", b"1", etag=None)
    await storage.delete(prefix + "refs")
    with pytest.raises(Changed):
        await storage.swap(prefix + "refs", b"2", etag=etag)
    assert await keys(storage, prefix) == []


@pytest.mark.parametrize("exists", [True, False])
async def test_one_of_many_racing_swaps_wins(storage: Storage, prefix: str, exists: bool) -> None:  # noqa: FBT001 - a parametrised case
    key = prefix + "refs"
    etag = await storage.swap(key, b"start", etag=None) if exists else None
    attempts = (storage.swap(key, str(n).encode(), etag=etag) for n in range(5))
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    winners = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, str)]
    assert len(winners) == 1
    assert all(isinstance(o, Changed) for n, o in enumerate(outcomes) if n not in winners)
    assert await storage.get(key, limit=9) == str(winners[0]).encode()
