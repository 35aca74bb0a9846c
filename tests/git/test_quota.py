"""A repository has so much room: who exceeds it learns sizes and remedy, and stores nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git.client import Checkout, checkout
from haikube.git.manifest import Manifest, Manifests
from haikube.git.quota import NoRoom, Quota
from haikube.settings import Settings
from world import World, running

LIMIT = 300_000


def noise(seed: str, size: int) -> str:
    """Return text that packs to about half its length."""
    return hashlib.shake_128(seed.encode()).hexdigest(size)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    settings = Settings(public_port=8080, git_repository_limit=LIMIT)
    async with running(settings) as platform:
        platform.cluster.app("hello")
        yield platform


@pytest.fixture
async def full(world: World, tmp_path: Path) -> Checkout:
    """Return a working tree whose branch `large` fills most of its repository."""
    tree = await checkout(tmp_path / "hello", world.url)
    await tree.commit({"app.py": "1"})
    assert (await tree.push()).status == 0
    await tree.must("checkout", "-q", "-b", "large")
    await tree.commit({"large.bin": noise("a", 200_000)})
    assert (await tree.push("large")).status == 0
    await world.quiet()
    return tree


async def manifest(world: World) -> Manifest:
    uid = str(world.cluster.app("hello")["metadata"]["uid"])
    return (await Manifests(world.storage).load(uid))[0]


def stored(world: World) -> int:
    return sum(len(body) for key, body in world.storage.objects.items() if "/packs/" in key)


@pytest.mark.parametrize("size", [150_000, 8_000_000], ids=["as a pack", "before it is read"])
async def test_a_push_that_has_no_room(world: World, full: Checkout, size: int) -> None:
    before, had = await manifest(world), set(world.storage.objects)
    await full.commit({"more.bin": noise("b", size)})
    done = await full.push("large:main")

    assert done.status == 1
    said = " ".join(line.removeprefix(" !     ") for line in done.remote)
    room = r"The repository may store 300\.0 kB: it has 2\d\d\.\d kB, and this push brings "
    assert re.search(room, said), said
    assert "git push heroku --delete NAME" in said
    assert "HAIKUBE_GIT_REPOSITORY_LIMIT" in said
    await world.quiet()
    assert (await manifest(world)).refs == before.refs
    assert len(world.operator.builds) == 1
    assert {key for key in set(world.storage.objects) - had if "/packs/" not in key} == set()


async def test_what_is_deleted_makes_room(world: World, full: Checkout) -> None:
    assert (await full.push(":large")).status == 0
    await world.quiet()
    await full.must("checkout", "-q", "main")
    await full.commit({"other.bin": noise("c", 200_000)})
    done = await full.push("main")
    assert done.status == 0, done.said


async def test_rewritten_history_makes_room_at_the_second_try(world: World, full: Checkout) -> None:
    await full.must("checkout", "-q", "main")
    assert (await full.push("main:large", options=("--force",))).status == 0
    await full.commit({"other.bin": noise("c", 200_000)})
    assert (await full.push("main")).status == 1
    await world.quiet()
    done = await full.push("main")
    assert done.status == 0, done.said


async def test_pushing_and_deleting_in_turn_fills_no_storage(world: World, full: Checkout) -> None:
    for number in range(8):
        await full.commit({"large.bin": noise(str(number), 200_000)})
        await full.push("large", options=("--force",))
        await world.quiet()
        await full.push(":large")
        await world.quiet()
    assert stored(world) <= 3 * LIMIT
    assert (await full.push("large", options=("--force",))).status == 1
    done = await full.push(":main-that-never-was", "main:refs/tags/small")
    assert "may store" not in done.said, "what brings nothing has room"


async def test_a_full_repository_still_deletes_and_is_still_read(
    world: World, full: Checkout, tmp_path: Path
) -> None:
    async with running(
        Settings(public_port=8080, git_repository_limit=1000), beside=world
    ) as strict:
        address = full.remote.replace(world.url[7:], strict.url[7:])
        await full.must("remote", "set-url", "heroku", address)
        assert (await full.push("main:copy")).status == 0
        assert (await full.push(":large")).status == 0
        await full.must("clone", "-q", address, str(tmp_path / "clone"))
        await full.commit({"one.txt": "1"})
        assert "may store 1.0 kB" in (await full.push("large:main")).said


@given(*(st.integers(0, 10**12) for _ in range(4)))
def test_room_is_never_negative_and_nothing_always_fits(
    limit: int, named: int, waiting: int, brought: int
) -> None:
    quota = Quota(limit, named, named + waiting)

    quota.require(0)
    assert quota.room >= 0
    over = named + brought > limit or named + waiting + brought > 3 * limit
    with pytest.raises(NoRoom) if brought and over else nullcontext():
        quota.require(brought)
