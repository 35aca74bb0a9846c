"""What only a real S3 server shows: presigned URLs, failures and their messages."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from datetime import timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import aiohttp
import obstore
import pytest
from pydantic import SecretStr

from haikube.settings import Settings
from haikube.storage import s3
from haikube.storage.port import MissingObject, StorageError
from haikube.storage.s3 import S3Storage
from storage.seaweed import ACCESS_KEY, SECRET_KEY, Seaweed, free_ports, start_seaweed

PATIENCE = 60.0
"""Seconds; only a server that never answers again takes them."""


async def fetch(method: str, url: str, data: bytes | None = None) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, data=data) as answer,
    ):
        return answer.status, await answer.read()


@pytest.fixture
def storage(seaweed: Seaweed) -> S3Storage:
    return S3Storage(seaweed.settings())


@pytest.fixture
def key() -> str:
    return f"slugs/{uuid.uuid4()}/a.tar.zst"


async def test_a_presigned_url_allows_one_method_on_one_object(
    storage: S3Storage, key: str
) -> None:
    url = await storage.presign("PUT", key, 60)
    assert (await fetch("PUT", url, b"slug"))[0] == 200
    assert await storage.get(key, limit=9) == b"slug"
    assert (await fetch("GET", url))[0] == 403
    assert (await fetch("PUT", url.replace("a.tar.zst", "b.tar.zst"), b"x"))[0] == 403
    assert (await fetch("GET", url.partition("?")[0]))[0] == 403
    assert await fetch("GET", await storage.presign("GET", key, 60)) == (200, b"slug")


async def test_a_presigned_url_lives_seven_days_at_most(storage: S3Storage, key: str) -> None:
    assert "X-Amz-Expires=604800&" in await storage.presign("GET", key, 10_000_000)


async def test_a_wrong_key_is_told_with_the_setting_to_check(seaweed: Seaweed, key: str) -> None:
    wrong = seaweed.settings().model_copy(
        update={"storage_secret_key": SecretStr("not-the-secret-key")}
    )
    with pytest.raises(StorageError, match="HAIKUBE_STORAGE_SECRET_KEY") as caught:
        await S3Storage(wrong).put(key, b"")
    for secret in ("not-the-secret-key", ACCESS_KEY, SECRET_KEY, "X-Amz"):
        assert secret not in str(caught.value)


async def test_a_server_that_is_down_is_named(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PATIENCE", timedelta())
    port = free_ports(1)[0]
    settings = Settings(
        storage_endpoint=f"http://user:password@127.0.0.1:{port}",
        storage_access_key=SecretStr(ACCESS_KEY),
        storage_secret_key=SecretStr(SECRET_KEY),
    )
    with pytest.raises(StorageError) as caught:
        await S3Storage(settings).put(key, b"")
    message = str(caught.value)
    assert f"put of {key} failed: no answer from http://127.0.0.1:{port}" in message
    assert "HAIKUBE_STORAGE_ENDPOINT" in message
    assert "password" not in message


async def test_a_bucket_that_does_not_exist_yet_is_empty(seaweed: Seaweed) -> None:
    storage = S3Storage(seaweed.settings(bucket=f"none-{uuid.uuid4()}"))
    assert [stored async for stored in storage.list("slugs/")] == []
    with pytest.raises(MissingObject):
        await storage.head("slugs/a")


async def test_what_is_not_taken_is_not_told_as_an_object_that_is_missing(
    storage: S3Storage, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = FileNotFoundError("404: <Code>NoSuchUpload</Code><Message>The upload is gone</Message>")
    monkeypatch.setattr(obstore, "put_async", AsyncMock(side_effect=gone))

    with pytest.raises(StorageError, match=f"put of {key} failed: .*NoSuchUpload") as caught:
        await storage.put(key, b"slug")
    assert not isinstance(caught.value, MissingObject)


async def put_in_the_end(storage: S3Storage, key: str, data: bytes) -> None:
    """Store an object, however long a busy machine takes to start the server again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await storage.put(key, data)
            except StorageError:
                await asyncio.sleep(0.1)


async def test_a_killed_storage_has_all_it_was_given_as_soon_as_it_answers() -> None:
    with tempfile.TemporaryDirectory(prefix="haikube-seaweed-") as directory:
        server = start_seaweed(Path(directory))
        try:
            storage = S3Storage(server.settings())
            given = {f"slugs/{number}": bytes([number]) * 300_000 for number in range(3)}
            for _ in range(3):
                for key, data in given.items():
                    await put_in_the_end(storage, key, data)
                await asyncio.to_thread(server.crash)
                for key, data in given.items():
                    assert await storage.get(key, limit=len(data)) == data
        finally:
            server.stop()
