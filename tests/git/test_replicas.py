"""Several replicas of the api, replicas that die, and repositories that grow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from git.client import Checkout, checkout
from haikube.git.manifest import Lock, Manifests, Pending
from haikube.model.resources import BUILDS
from world import NAMESPACE, World, running


@pytest.fixture
async def replica(world: World) -> AsyncIterator[World]:
    async with running(beside=world) as other:
        yield other


@pytest.fixture
def uid(world: World) -> str:
    return str(world.cluster.app("hello")["metadata"]["uid"])


async def die_while_building(world: World, uid: str, tree: Checkout, result: str | None) -> str:
    """Leave behind what a replica does that is killed while its build runs."""
    manifests = Manifests(world.storage)
    before, _ = await manifests.load(uid)
    await tree.push()
    after, etag = await manifests.load(uid)
    pending = Pending(NAMESPACE, "hello-b-dead00", after.refs, after.packs)
    dead = replace(before, lock=Lock("dead", "bob@example.com", 7, pending))
    await manifests.swap(uid, dead, etag)
    metadata = {"name": "hello-b-dead00", "namespace": NAMESPACE}
    build: dict[str, Any] = {"metadata": metadata, "spec": {"appRef": {"name": "hello"}}}
    if result:
        build["status"] = {"result": result}
    world.cluster.seed(BUILDS, build)
    return after.refs["refs/heads/main"]


async def test_any_replica_serves_any_push(
    world: World, replica: World, tree: Checkout, tmp_path: Path
) -> None:
    assert (await tree.push()).status == 0
    await tree.must(
        "remote", "set-url", "heroku", tree.remote.replace(world.url[7:], replica.url[7:])
    )
    await tree.commit({"more.py": "1"})
    done = await tree.push()
    assert done.status == 0, done.said
    assert "Released v2" in done.said
    await tree.must("clone", "-q", tree.remote, str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "more.py").exists()


async def test_a_push_whose_replica_died_has_happened_once_its_build_succeeded(
    world: World, uid: str, tree: Checkout, tmp_path: Path
) -> None:
    commit = await die_while_building(world, uid, tree, "Succeeded")
    assert "Everything up-to-date" in (await tree.push()).said
    await tree.must("clone", "-q", tree.remote, str(tmp_path / "clone"))

    later = await tree.commit({"later.py": ""})
    done = await tree.push()
    assert done.status == 0, done.said
    assert "Waiting for another push to hello by bob@example.com" in done.said
    assert f"{commit[:7]}..{later[:7]}  main -> main" in done.said
    manifest, _ = await Manifests(world.storage).load(uid)
    assert manifest.refs == {"refs/heads/main": later}
    assert manifest.lock is None


async def test_what_a_dead_replica_could_not_build_is_built_again(
    world: World, uid: str, tree: Checkout
) -> None:
    await die_while_building(world, uid, tree, "Failed")
    done = await tree.push()
    assert done.status == 0, done.said
    assert "Released v2" in done.said


async def test_a_build_of_a_dead_replica_is_waited_for(
    world: World, uid: str, tree: Checkout
) -> None:
    commit = await die_while_building(world, uid, tree, None)
    process = await tree.start("push", "heroku", "main")
    assert process.stdout is not None
    line = b""
    while b"Waiting" not in line:
        line = await process.stdout.readline()
    await world.cluster.patch(
        BUILDS,
        "hello-b-dead00",
        NAMESPACE,
        {"status": {"result": "Succeeded"}},
        subresource="status",
    )
    said, _ = await process.communicate()
    assert f"Commit {commit[:7]} was built and released" in said.decode()


def packs_in(world: World) -> set[str]:
    return {PurePosixPath(key).stem for key in world.storage.objects if "/packs/" in key}


async def test_many_packs_become_one_and_nothing_is_lost(
    world: World, uid: str, tree: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.app.state.context.git._consolidation, "_most", 2)
    for number in range(3):
        await tree.commit({f"{number}.py": str(number)})
        assert (await tree.push()).status == 0
        await world.quiet()
    manifest, _ = await Manifests(world.storage).load(uid)
    assert len(manifest.packs) == 1
    assert set(manifest.retired) == packs_in(world) - set(manifest.packs)
    await tree.must("clone", "-q", tree.remote, str(tmp_path / "clone"))
    assert len(list((tmp_path / "clone").glob("?.py"))) == 3
    await tree.commit({"later.py": ""})
    assert (await tree.push()).status == 0


async def test_a_damaged_manifest_is_said_and_kept(world: World, uid: str, tmp_path: Path) -> None:
    await world.storage.put(f"git/{uid}/refs.json", b'{"refs": {"../../x": "y"}}')
    tree = await checkout(tmp_path / "other", world.url)
    done = await tree.git("ls-remote", "heroku")
    assert f"git/{uid}/refs.json is damaged" in done.said


async def test_a_missing_pack_is_said(world: World, uid: str, tree: Checkout) -> None:
    await tree.push()
    async with running(beside=world) as fresh:
        for key in [key for key in world.storage.objects if key.endswith(".pack")]:
            await world.storage.delete(key)
        address = tree.remote.replace(world.url[7:], fresh.url[7:])
        done = await tree.git("ls-remote", address)
    assert f"a pack of the repository is lost (git/{uid}/packs/)" in done.said
    assert "git push heroku main" in done.said
