"""A push is true or it is nothing: what it says, the refs and the releases never differ."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from git.client import Checkout, checkout
from haikube.cluster.errors import ApiError, Invalid, Unreachable
from haikube.cluster.fake import Call
from haikube.cluster.port import Json
from haikube.git import verdict
from haikube.git.manifest import Manifest, Manifests
from haikube.model.resources import BUILDS, RELEASES
from haikube.settings import Settings
from haikube.storage.port import StorageError
from world import NAMESPACE, Operator, World, fail, gated, release_phase, running, until_canceled


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "_PAUSE", 0.01)


async def manifest_of(world: World) -> Manifest:
    uid = str(world.cluster.app("hello")["metadata"]["uid"])
    return (await Manifests(world.storage).load(uid))[0]


async def released(world: World) -> int:
    return world.operator.versions["hello"]


def fail_swaps(world: World, monkeypatch: pytest.MonkeyPatch, when: str, *, after: bool) -> None:
    """Fail each write of a manifest that matches, once before or after it is stored."""
    swap = world.storage.swap

    async def failing(key: str, data: bytes, *, etag: str | None) -> str:
        matches = re.search(when, data.decode())
        if matches and not after:
            raise StorageError("storage: put failed: no answer")
        stored = await swap(key, data, etag=etag)
        if matches:
            raise StorageError("storage: put failed: no answer")
        return stored

    monkeypatch.setattr(world.storage, "swap", failing)


ANNOUNCED = r'"build": "hello-b-'
FREED = r'"lock": null'
LEFT = r'"left": true'


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("when", [FREED, f"{FREED}|{LEFT}", ANNOUNCED, r'"beat": 0'])
async def test_a_write_that_fails_never_parts_release_and_refs(
    world: World, tree: Checkout, monkeypatch: pytest.MonkeyPatch, when: str, *, after: bool
) -> None:
    fail_swaps(world, monkeypatch, when, after=after)
    done = await tree.push()
    await world.quiet()
    monkeypatch.undo()

    assert await released(world) == (0 if done.status else 1), done.said
    clone = tree.folder.with_name("clone")
    await tree.must("clone", "-q", tree.remote, str(clone))
    assert (clone / "app.py").exists() == (done.status == 0)

    await tree.commit({"more.py": "1"})
    again = await tree.push()
    assert again.status == 0, again.said
    manifest = await manifest_of(world)
    assert manifest.refs == {"refs/heads/main": await tree.must("rev-parse", "HEAD")}
    assert manifest.lock is None


async def test_a_lock_that_could_not_be_given_back_grows_old(
    world: World, tree: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, world.operator.script = world.operator.script, fail
    fail_swaps(world, monkeypatch, FREED, after=False)
    assert (await tree.push()).status == 1
    monkeypatch.undo()
    world.operator.script = script
    async with asyncio.timeout(60):
        done = await tree.push()
    assert done.status == 0, done.said


async def test_a_lost_answer_to_the_creation_of_a_build_makes_one_build(
    world: World, tree: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = world.cluster.create
    lost: list[str] = []

    async def losing(resource: Any, body: Any) -> Json:
        made = await create(resource, body)
        if resource == BUILDS and not lost:
            lost.append(made["metadata"]["name"])
            raise Unreachable(0, "Timeout", "no answer")
        return made

    monkeypatch.setattr(world.cluster, "create", losing)
    done = await tree.push()
    assert done.status == 0, done.said
    assert [build["metadata"]["name"] for build in world.operator.builds] == lost


async def test_a_cluster_that_takes_no_build_is_told_and_leaves_nothing(
    world: World, tree: Checkout
) -> None:
    def fault(call: Call) -> None:
        made = [each for each in world.cluster.writes if each.resource == BUILDS]
        if call.verb == "create" and call.resource == BUILDS and not made:
            raise Invalid(422, "Invalid", "no builds today")

    world.cluster.fault = fault
    done = await tree.push()
    assert done.status == 1
    assert " !     The cluster refused the build: no builds today" in done.remote
    world.cluster.fault = None
    assert await manifest_of(world) == Manifest()


async def test_a_cluster_that_is_away_for_long_leaves_no_build_behind(
    world: World, tree: Checkout
) -> None:
    tries = 0

    def fault(call: Call) -> None:
        nonlocal tries
        if call.verb == "create" and call.resource == BUILDS:
            tries += 1
            if tries <= verdict._TRIES:
                raise ApiError(500, "InternalError", "the webhook is away")

    world.cluster.fault = fault
    done = await tree.push()
    assert done.status == 1
    assert " !     The cluster did not take the build: the webhook is away" in done.remote
    assert await released(world) == 0
    assert (await manifest_of(world)).lock is None
    again = await tree.push()
    assert again.status == 0, again.said


async def test_the_name_of_a_build_is_announced_before_it_is_made(
    world: World, tree: Checkout
) -> None:
    seen: list[str] = []

    def look(call: Call) -> None:
        if call.verb == "create" and call.resource == BUILDS:
            key = next(key for key in world.storage.objects if key.endswith("refs.json"))
            assert f'"build": "{call.name}"'.encode() in world.storage.objects[key]
            seen.append(call.name)

    world.cluster.fault = look
    assert (await tree.push()).status == 0
    assert len(seen) == 1


async def test_a_holder_that_was_held_up_before_its_build_is_fenced(
    world: World, tree: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands still after the announcement and wakes when another has taken over."""
    awake, asleep = asyncio.Event(), asyncio.Event()
    create, renew = verdict.create_build, "haikube.git.lock.PushLock._renew"

    async def slow(*arguments: Any, **options: Any) -> Json:
        if not asleep.is_set():
            asleep.set()
            await awake.wait()
        return await create(*arguments, **options)

    async def paused(_: object) -> None:
        await awake.wait()

    monkeypatch.setattr(verdict, "create_build", slow)
    monkeypatch.setattr(renew, paused)
    first = await tree.start("push", "heroku", "main")
    await asyncio.wait_for(asleep.wait(), 60)
    other = await checkout(tree.folder.with_name("other"), world.url)
    commit = await other.commit({"other.py": "1"})
    done = await other.push()
    assert done.status == 0, done.said
    awake.set()
    said, _ = await first.communicate()
    assert "Another push took over" in said.decode()
    assert first.returncode == 1
    assert await released(world) == 1
    assert (await manifest_of(world)).refs == {"refs/heads/main": commit}


@pytest.fixture
async def hurried() -> AsyncIterator[World]:
    async with running(Settings(public_port=8080, push_timeout=5)) as platform:
        platform.cluster.app("hello")
        yield platform


@pytest.fixture
async def hurried_tree(hurried: World, tree: Checkout) -> Checkout:
    address = hurried.url.replace("://", "://git:token-of-ada@")
    await tree.must("remote", "set-url", "heroku", f"{address}/hello.git")
    return tree


async def test_a_push_that_is_too_late_cancels_its_build(
    hurried: World, hurried_tree: Checkout
) -> None:
    hurried.operator.script = until_canceled
    done = await hurried_tree.push()
    assert done.status == 1
    assert " !     The push took longer than 5 s" in done.remote
    build = hurried.operator.builds[0]["metadata"]["name"]
    now = await hurried.cluster.get(BUILDS, build, NAMESPACE)
    assert now["spec"]["cancel"] is True
    assert await released(hurried) == 0
    assert await manifest_of(hurried) == Manifest()


async def test_a_build_that_was_quicker_than_its_cancellation_counts(
    hurried: World, hurried_tree: Checkout
) -> None:
    async def stubborn(operator: Operator, build: Json) -> None:
        try:
            await asyncio.wait_for(until_canceled(operator, build, result=""), 60)
        finally:
            await operator.release(build)

    hurried.operator.script = stubborn
    done = await hurried_tree.push()
    assert done.status == 0, done.said
    assert await released(hurried) == 1
    assert set((await manifest_of(hurried)).refs) == {"refs/heads/main"}


async def test_a_push_whose_time_ends_in_the_release_phase_has_succeeded(
    hurried: World, hurried_tree: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haikube.git.push._LEAST", 0.1)
    hurried.operator.script = lambda operator, build: release_phase(operator, build, None)
    done = await hurried_tree.push()
    assert done.status == 0, done.said
    assert "What becomes of the release cannot be told" in done.said
    manifest = await manifest_of(hurried)
    assert (set(manifest.refs), manifest.lock) == ({"refs/heads/main"}, None)


async def test_refs_move_before_the_release_phase(world: World, tree: Checkout) -> None:
    world.operator.script = lambda operator, build: release_phase(operator, build, None)
    process = await tree.start("push", "heroku", "main")
    assert process.stdout is not None
    async for line in process.stdout:
        if b"Running release command" in line:
            break
    manifest = await manifest_of(world)
    assert (set(manifest.refs), manifest.lock) == ({"refs/heads/main"}, None)
    body = {"status": {"result": "Failed"}}
    await world.cluster.patch(RELEASES, "hello-v1", NAMESPACE, body, subresource="status")
    await process.communicate()
    assert process.returncode == 0


async def test_a_log_that_cannot_be_read_does_not_decide_a_push(
    world: World, tree: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*arguments: Any, **options: Any) -> AsyncIterator[bytes]:
        del arguments, options
        yield b"-----> Python app detected\n"
        raise StorageError("storage: get of logs failed: no answer")

    monkeypatch.setattr(world.app.state.context.git._platform.listener, "stream", broken)
    done = await tree.push()
    assert done.status == 0, done.said
    assert "The rest of the log cannot be read: storage: get of logs failed" in done.said
    assert "Released v1" in done.said


async def test_tags_come_along_with_a_commit_that_was_deployed_before(
    world: World, tree: Checkout
) -> None:
    """The first push comes through after the second has looked at the refs."""
    world.operator.script = gated
    first = await tree.start("push", "heroku", "main")
    assert first.stdout is not None
    async for line in first.stdout:
        if b"Building on" in line:
            break
    await tree.must("tag", "-a", "v1.0", "-m", "first")
    second = await tree.start("push", "heroku", "main", "v1.0")
    assert second.stdout is not None
    async for line in second.stdout:
        if b"Waiting for another push" in line:
            break
    world.operator.gate.set()
    await first.communicate()
    said, _ = await second.communicate()
    assert "was built and released by an earlier push already" in said.decode()
    assert second.returncode == 0
    tag = await tree.must("rev-parse", "v1.0")
    assert (await manifest_of(world)).refs["refs/tags/v1.0"] == tag
    assert await released(world) == 1
    await tree.must("clone", "-q", tree.remote, str(tree.folder.with_name("clone")))
