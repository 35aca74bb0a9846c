"""A damaged repository: it says so, and a push of the whole history mends it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from git.client import Checkout
from haikube.git.manifest import Manifest, Manifests
from haikube.git.packs import PackCache
from world import World, running


async def manifest_of(world: World) -> Manifest:
    uid = str(world.cluster.app("hello")["metadata"]["uid"])
    return (await Manifests(world.storage).load(uid))[0]


async def push_and_clone(world: World, tree: Checkout) -> None:
    """Push more onto a repository, and insist that it is whole after that."""
    await tree.commit({"more.py": "1"})
    async with running(beside=world) as fresh:
        address = tree.remote.replace(world.url[7:], fresh.url[7:])
        await tree.must("remote", "set-url", "heroku", address)
        clone = tree.folder.with_name("clone")
        broken = await tree.git("clone", "-q", address, str(clone))
        assert broken.status, broken.said
        done = await tree.push()
        assert done.status == 0, done.said
        await tree.must("clone", "-q", address, str(clone))
    assert (clone / "more.py").exists()
    await Checkout(clone, "").must("fsck", "--full", "--strict")
    manifest = await manifest_of(world)
    assert manifest.refs["refs/heads/main"] == await tree.must("rev-parse", "main")
    assert (manifest.whole, manifest.lock) == (True, None)


async def test_a_lost_pack_is_mended_by_a_push(world: World, tree: Checkout) -> None:
    await tree.must("tag", "-a", "v1", "-m", "first")
    assert (await tree.push("main", "v1")).status == 0
    for key in [key for key in world.storage.objects if key.endswith(".pack")]:
        await world.storage.delete(key)
    await push_and_clone(world, tree)
    assert set((await manifest_of(world)).refs) == {"refs/heads/main"}


@pytest.mark.parametrize("tagged", [False, True])
async def test_history_that_a_shallow_push_left_out_is_mended_by_a_push(
    world: World, tree: Checkout, tmp_path: Path, *, tagged: bool
) -> None:
    """What the platform stored before it refused such pushes."""
    for number in range(3):
        await tree.commit({"count": str(number)})
    head = await tree.must("rev-parse", "HEAD")
    names = await tree.must("rev-list", "--objects", "--max-count=1", "--no-object-names", "HEAD")
    (tmp_path / "stored").mkdir()
    subprocess.run(  # noqa: ASYNC221 - a moment
        ["git", "pack-objects", "-q", str(tmp_path / "stored" / "pack")],
        cwd=tree.folder,
        input=f"{names}\n".encode(),
        check=True,
        capture_output=True,
    )
    uid = str(world.cluster.app("hello")["metadata"]["uid"])
    cache = PackCache(world.storage, tmp_path / "cache", 1 << 30)
    packs = await cache.upload(uid, tmp_path / "stored")
    refs = {"refs/heads/main": head} | ({"refs/tags/v1": head} if tagged else {})
    await Manifests(world.storage).swap(uid, Manifest(refs, packs), None)
    await push_and_clone(world, tree)
    assert set((await manifest_of(world)).refs) == set(refs)
