"""Repacking: whatever happens at the same time, no pack goes that somebody may still need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from git.client import Checkout
from haikube.git.consolidate import GRACE, Consolidation
from haikube.git.manifest import Lock, Manifest, Manifests, Pending
from haikube.git.packs import StoredPack, rubbish
from haikube.storage.port import Changed, StorageError
from world import NAMESPACE, World, running

PUSHES = 3


def tidier(world: World) -> Consolidation:
    found = world.app.state.context.git._consolidation
    assert isinstance(found, Consolidation)
    return found


def packs_in(world: World) -> set[str]:
    return {PurePosixPath(key).stem for key in world.storage.objects if "/packs/" in key}


@pytest.fixture
def uid(world: World) -> str:
    return str(world.cluster.app("hello")["metadata"]["uid"])


@pytest.fixture
async def replica(world: World) -> AsyncIterator[World]:
    async with running(beside=world) as other:
        yield other


@pytest.fixture
async def grown(world: World, tree: Checkout) -> Checkout:
    """Return a working tree whose repository is due for repacking."""
    for number in range(PUSHES):
        await tree.commit({f"{number}.py": str(number)})
        assert (await tree.push()).status == 0
        await world.quiet()
    tidier(world)._most = PUSHES - 1
    return tree


async def is_whole(world: World, uid: str, tree: Checkout) -> Manifest:
    """Return the manifest of a repository that a fresh replica can still serve."""
    manifest, _ = await Manifests(world.storage).load(uid)
    assert set(manifest.packs) <= packs_in(world)
    async with running(beside=world) as fresh:
        address = tree.remote.replace(world.url[7:], fresh.url[7:])
        clone = tree.folder.with_name(f"clone-{len(list(tree.folder.parent.iterdir()))}")
        await tree.must("clone", "-q", address, str(clone))
    assert len(list(clone.glob("?.py"))) == PUSHES
    return manifest


async def test_two_replicas_repack_at_once(
    world: World, replica: World, uid: str, grown: Checkout
) -> None:
    tidier(replica)._most = PUSHES - 1
    await asyncio.gather(tidier(world).run(uid), tidier(replica).run(uid))
    assert len((await is_whole(world, uid, grown)).packs) == 1


async def test_one_replica_repacks_twice_at_once(world: World, uid: str, grown: Checkout) -> None:
    await asyncio.gather(tidier(world).run(uid), tidier(world).run(uid))
    assert len((await is_whole(world, uid, grown)).packs) == 1


async def test_the_answer_to_the_last_write_of_a_repack_is_lost(
    world: World, uid: str, grown: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client repeats the write and is told that somebody else was quicker."""
    swap = world.storage.swap

    async def twice(key: str, data: bytes, *, etag: str | None) -> str:
        await swap(key, data, etag=etag)
        return await swap(key, data, etag=etag)

    monkeypatch.setattr(world.storage, "swap", twice)
    await tidier(world).run(uid)
    monkeypatch.setattr(world.storage, "swap", swap)
    manifest = await is_whole(world, uid, grown)
    assert (len(manifest.packs), manifest.lock) == (1, None)


async def test_a_repack_leaves_a_repository_to_the_push_that_holds_it(
    world: World, uid: str, grown: Checkout
) -> None:
    manifests = Manifests(world.storage)
    manifest, etag = await manifests.load(uid)
    await manifests.swap(uid, replace(manifest, lock=Lock("a", "bob")), etag)
    await tidier(world).run(uid)
    assert (await is_whole(world, uid, grown)).packs == manifest.packs


async def test_a_repack_that_was_held_up_changes_nothing(
    world: World, uid: str, grown: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests = Manifests(world.storage)
    upload = tidier(world)._packs.upload

    async def slow(*arguments: object) -> tuple[str, ...]:
        fresh = await upload(*arguments)  # type: ignore[arg-type] - passed on
        manifest, etag = await manifests.load(uid)
        await manifests.swap(uid, replace(manifest, lock=Lock("other", "bob")), etag)
        return fresh

    monkeypatch.setattr(tidier(world)._packs, "upload", slow)
    await tidier(world).run(uid)
    manifest = await is_whole(world, uid, grown)
    assert len(manifest.packs) == PUSHES
    assert manifest.lock == Lock("other", "bob")


@pytest.mark.usefixtures("grown")
async def test_a_push_onto_packs_that_were_replaced_meanwhile_names_them_again(
    world: World, uid: str
) -> None:
    """What it was built upon may be in none of the packs of today."""
    service = world.app.state.context.git
    before, _ = await Manifests(world.storage).load(uid)
    async with service._snapshots.open(uid) as snapshot:
        await tidier(world).run(uid)
        manifest, _ = await Manifests(world.storage).load(uid)
        merged = manifest.advance({}, snapshot.manifest.packs)
    assert set(before.packs) <= set(merged.packs)
    assert not merged.retired
    assert set(merged.packs) <= packs_in(world)


@pytest.mark.parametrize(
    "body",
    [b"0000", b""],
)
async def test_who_may_only_look_sets_nothing_in_motion(
    world: World, uid: str, grown: Checkout, body: bytes
) -> None:
    world.cluster.users["viewer"] = "eve"
    world.cluster.namespaces["eve"] = {NAMESPACE}
    world.cluster.denied.add(("eve", "create", "builds"))
    kind = "application/x-git-receive-pack-request"
    headers = {"Authorization": "Bearer viewer", "Content-Type": kind}
    before = dict(world.storage.objects)

    async def probe(session: aiohttp.ClientSession) -> None:
        async with session.post("/hello.git/git-receive-pack", data=body, headers=headers) as done:
            await done.read()

    async with aiohttp.ClientSession(world.url) as session:
        await asyncio.gather(probe(session), probe(session))
    await world.quiet()
    assert world.storage.objects == before
    await is_whole(world, uid, grown)


NAMES = st.sampled_from([f"pack-{digit * 40}.{digit * 8}" for digit in "abcdef"])
TIMES = st.dictionaries(NAMES, st.builds(StoredPack, st.just(1), st.floats(0, 1000)))


@given(
    stored=TIMES,
    packs=st.sets(NAMES),
    pending=st.sets(NAMES),
    retired=st.dictionaries(NAMES, st.integers(0, 1000)),
    oldest=st.floats(0, 1000),
)
def test_only_what_nothing_has_named_for_long_is_rubbish(
    stored: dict[str, StoredPack],
    packs: set[str],
    pending: set[str],
    retired: dict[str, int],
    oldest: float,
) -> None:
    lock = Lock("a", "b", 0, Pending("n", "b", {}, tuple(pending)))
    dead = set(rubbish(stored, Manifest({}, tuple(packs), lock, retired), oldest))
    for pack, found in stored.items():
        named = pack in packs or pack in pending
        lately = found.modified >= oldest or retired.get(pack, 0) >= oldest
        assert (pack in dead) == (not named and not lately)


async def test_rubbish_goes_when_its_grace_is_over(
    world: World, uid: str, grown: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tidier(world).run(uid)
    assert len(packs_in(world)) == PUSHES + 1
    await tidier(world).run(uid)
    assert len(packs_in(world)) == PUSHES + 1
    monkeypatch.setattr("haikube.git.consolidate.time.time", lambda: 4e9 + GRACE)
    await tidier(world).run(uid)
    manifest = await is_whole(world, uid, grown)
    assert packs_in(world) == set(manifest.packs)


@pytest.mark.parametrize("error", [Changed("x"), StorageError("no answer")])
async def test_a_failed_repack_gives_the_lock_back(
    world: World, uid: str, grown: Checkout, monkeypatch: pytest.MonkeyPatch, error: StorageError
) -> None:
    async def fail(*arguments: object) -> tuple[str, ...]:
        del arguments
        raise error

    monkeypatch.setattr(tidier(world)._packs, "upload", fail)
    await tidier(world).run(uid)
    manifest = await is_whole(world, uid, grown)
    assert (len(manifest.packs), manifest.lock) == (PUSHES, None)


async def test_clones_go_on_while_packs_are_replaced(
    world: World, uid: str, grown: Checkout, tmp_path: Path
) -> None:
    clones = [grown.git("clone", "-q", grown.remote, str(tmp_path / str(n))) for n in range(4)]
    done = await asyncio.gather(*clones, tidier(world).run(uid))
    assert [each.status for each in done[:4]] == [0] * 4  # type: ignore[union-attr] - the clones
