"""A storage that ignores conditions on writes is found out before it costs a push."""

from __future__ import annotations

import pytest

from haikube.storage.memory import MemoryStorage
from haikube.storage.port import StorageError
from haikube.storage.proof import Unfit, prove
from haikube.storage.s3 import S3Storage
from storage.seaweed import Seaweed


class Careless(MemoryStorage):
    """Takes every write of a kind."""

    def __init__(self, *, creates: bool) -> None:
        super().__init__()
        self._creates = creates

    async def swap(self, key: str, data: bytes, *, etag: str | None) -> str:
        if (etag is None) == self._creates and key in self.objects:
            etag = (await self.head(key)).etag
        return await super().swap(key, data, etag=etag)


async def test_a_storage_that_keeps_its_word_passes_and_keeps_nothing() -> None:
    storage = MemoryStorage()
    await prove(storage)
    assert not storage.objects


@pytest.mark.parametrize(
    ("creates", "said"), [(True, "If-None-Match"), (False, "If-Match with an old ETag")]
)
async def test_a_storage_that_ignores_a_condition_is_named(*, creates: bool, said: str) -> None:
    storage = Careless(creates=creates)
    with pytest.raises(Unfit, match=f"ignores {said}.*AWS S3, SeaweedFS"):
        await prove(storage)
    assert not storage.objects


async def test_a_storage_that_does_not_answer_proves_nothing() -> None:
    storage = MemoryStorage()
    storage.down = "no answer"
    with pytest.raises(StorageError):
        await prove(storage)


async def test_the_storage_of_a_local_cluster_keeps_its_word(seaweed: Seaweed) -> None:
    await prove(S3Storage(seaweed.settings()))
