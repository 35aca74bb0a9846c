"""Pushes that must not go through: each says why and what to do, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from git.client import Checkout, checkout
from haikube.git import report, source
from haikube.git.console import Printout
from haikube.git.manifest import Manifest, parse
from haikube.model.resources import SECRETS
from haikube.settings import Settings
from world import TOKEN, USER, World, gated, running


def manifest(world: World) -> Manifest:
    stored = [key for key in world.storage.objects if key.endswith("/refs.json")]
    return parse(world.storage.objects[stored[0]]) if stored else Manifest()


def nothing_happened(world: World) -> bool:
    return (
        manifest(world) == Manifest()
        and not world.operator.builds
        and not [key for key in world.storage.objects if "/packs/" in key]
    )


async def test_another_branch_is_stored_and_not_deployed(world: World, tree: Checkout) -> None:
    done = await tree.push("main:feature/login")
    assert done.status == 0, done.said
    assert done.remote == [
        "Branch feature/login is stored, not deployed: only main and master are.",
        "To deploy it: git push heroku feature/login:main",
    ]
    assert set(manifest(world).refs) == {"refs/heads/feature/login"}
    assert not world.operator.builds


@pytest.mark.parametrize("other", ["feature", "master"])
async def test_one_of_several_branches_deploys(world: World, tree: Checkout, other: str) -> None:
    done = await tree.push(f"main:{other}", "main")
    assert done.status == 0, done.said
    assert f"Branch {other} is stored, not deployed: only main and master are." in done.remote
    assert "       Released v1" in done.remote
    assert set(manifest(world).refs) == {"refs/heads/main", f"refs/heads/{other}"}
    assert len(world.operator.builds) == 1


async def test_what_is_only_stored_can_be_deleted(world: World, tree: Checkout) -> None:
    await tree.must("tag", "old")
    await tree.push("main", "main:feature", "old")
    done = await tree.push(":feature", ":old")
    assert done.status == 0, done.said
    assert set(manifest(world).refs) == {"refs/heads/main"}


async def test_a_ref_that_is_neither_branch_nor_tag(world: World, tree: Checkout) -> None:
    done = await tree.push("main:refs/notes/x")
    assert "refs/notes/x cannot be pushed" in done.said
    assert nothing_happened(world)


async def test_tags_come_along_and_alone_deploy_nothing(world: World, tree: Checkout) -> None:
    await tree.must("tag", "-a", "v1.0", "-m", "first")
    done = await tree.push("main", options=("--follow-tags",))
    assert done.status == 0, done.said
    assert set(manifest(world).refs) == {"refs/heads/main", "refs/tags/v1.0"}

    await tree.must("tag", "later")
    done = await tree.push("later")
    assert done.status == 0, done.said
    assert len(world.operator.builds) == 1


async def test_deleting_a_branch(world: World, tree: Checkout) -> None:
    await tree.push()
    before = manifest(world)
    done = await tree.push(":main")
    assert done.status == 1
    assert " !     Cannot delete main" in done.remote
    assert manifest(world) == before


async def test_an_empty_repository(world: World, tmp_path: Path) -> None:
    empty = await checkout(tmp_path / "empty", world.url)
    done = await empty.push()
    assert "src refspec main does not match any" in done.said


async def test_a_commit_without_files(world: World, tmp_path: Path) -> None:
    empty = await checkout(tmp_path / "empty", world.url)
    commit = await empty.commit({})
    done = await empty.push()
    assert f" !     Commit {commit[:7]} has no files" in done.remote
    assert nothing_happened(world)


async def test_history_that_was_rewritten_needs_force(world: World, tree: Checkout) -> None:
    await tree.push()
    await tree.must("commit", "-q", "--amend", "-m", "rewritten")
    refused = await tree.push()
    assert "[rejected]" in refused.said
    assert "non-fast-forward" in refused.said

    forced = await tree.push(options=("--force",))
    assert forced.status == 0, forced.said
    assert manifest(world).refs["refs/heads/main"] == await tree.must("rev-parse", "HEAD")


@pytest.mark.parametrize("token", ["wrong", "", "a b"])
async def test_a_wrong_token(world: World, tmp_path: Path, token: str) -> None:
    stranger = await checkout(tmp_path / "a", world.url, token=token.replace(" ", "%20"))
    await stranger.commit({"a": "1"})
    done = await stranger.push()
    assert done.status == 128
    assert "Authentication failed" in done.said or "could not read" in done.said
    assert nothing_happened(world)


async def test_no_token_at_all_says_how_to_log_in(world: World, tmp_path: Path) -> None:
    anonymous = await checkout(tmp_path / "a", world.url)
    await anonymous.must("remote", "set-url", "heroku", f"{world.url}/hello.git")
    done = await anonymous.git("ls-remote", "heroku")
    assert done.status == 128
    assert "haikube login" in done.said or "could not read Username" in done.said


async def test_a_token_that_expires_during_the_build_does_no_harm(
    world: World, tree: Checkout
) -> None:
    world.operator.script = gated
    process = await tree.start("push", "heroku", "main")
    await until_building(process, "Building on")
    del world.cluster.users[TOKEN]
    world.cluster.cut_watches()
    world.operator.gate.set()
    assert "Released v1" in await rest(process)
    assert manifest(world).refs


async def test_an_unknown_app(world: World, tmp_path: Path) -> None:
    tree = await checkout(tmp_path / "a", world.url, "no-such-app")
    await tree.commit({"a": "1"})
    done = await tree.push()
    assert "no-such-app was not found" in done.said
    assert "not found" in done.said.splitlines()[-1]


async def test_an_app_of_somebody_else_is_not_found(world: World, tmp_path: Path) -> None:
    world.cluster.app("secret", "team-b")
    tree = await checkout(tmp_path / "a", world.url, "secret")
    done = await tree.git("ls-remote", "heroku")
    assert "secret was not found" in done.said


async def test_one_name_in_two_namespaces_needs_the_longer_form(
    world: World, tmp_path: Path
) -> None:
    world.cluster.namespaces[USER] |= {"team-b"}
    world.cluster.app("hello", "team-b")
    tree = await checkout(tmp_path / "a", world.url)
    done = await tree.git("ls-remote", "heroku")
    assert "hello.team-a, hello.team-b" in done.said
    tree = await checkout(tmp_path / "b", world.url, "hello.team-b")
    assert (await tree.git("ls-remote", "heroku")).status == 0


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fetc",
        "../../etc",
        "hello%00",
        "--upload-pack=touch",
        "-hello",
        "hello;id",
        "$(id)",
        "hello.team-a.x",
        "hello.-x",
        "HELLO",
        "%2e%2e",
        "a" * 300,
    ],
)
async def test_hostile_names_are_simply_not_found(world: World, tmp_path: Path, path: str) -> None:
    tree = await checkout(tmp_path / "a", world.url, path)
    done = await tree.git("ls-remote", "heroku")
    assert done.status == 128
    assert "not found" in done.said or "URL contains" in done.said or "unable" in done.said
    assert {call.resource for call in world.cluster.writes} <= {SECRETS}, "the key of its links"


async def test_the_storage_is_down_before_the_push(world: World, tree: Checkout) -> None:
    world.storage.down = "no answer from http://storage:8333"
    done = await tree.push()
    assert done.status == 128
    assert "remote: storage: " in done.said
    assert "no answer from http://storage:8333" in done.said
    world.storage.down = ""
    assert (await tree.push()).status == 0


@pytest.mark.parametrize("call", ["put", "swap"])
async def test_a_push_that_waits_for_the_storage_says_so(
    world: World, tree: Checkout, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(report, "_PATIENCE", 0.05)
    back = asyncio.Event()
    at_once = getattr(world.storage, call)

    async def held(*words: Any, **options: Any) -> Any:
        await back.wait()
        return await at_once(*words, **options)

    monkeypatch.setattr(world.storage, call, held)
    process = await tree.start("push", "heroku", "main")
    await until_building(process, "Waiting for the object storage...")
    back.set()
    said = await rest(process)
    assert "Released v1" in said
    assert "rejected" not in said


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("seconds", "queued", "told"), [(2, False, 0), (9, False, 1), (9, True, 0)]
)
async def test_only_a_storage_that_takes_long_is_waited_for_aloud(
    seconds: float,
    queued: bool,  # noqa: FBT001 - a row
    told: int,
) -> None:
    console = Printout()

    async def work() -> None:
        async with report.telling_storage(console) as telling:
            if queued:
                telling.cancel()
            await asyncio.sleep(seconds)
        await asyncio.sleep(60)

    said = [page async for page in console.of(work())]
    assert said == [b"Waiting for the object storage...\n"] * told


async def test_the_storage_goes_down_during_the_build(
    world: World, tree: Checkout, tmp_path: Path
) -> None:
    """The release serves: the push has succeeded, and every look at the repository says so."""
    world.operator.script = gated
    process = await tree.start("push", "heroku", "main")
    await until_building(process, "Building on")
    world.storage.down = "no answer from http://storage:8333"
    world.operator.gate.set()
    said = await rest(process)
    assert "Released v1" in said
    assert "main -> main" in said
    assert "rejected" not in said
    world.storage.down = ""
    await tree.must("clone", "-q", tree.remote, str(tmp_path / "clone"))
    assert "Everything up-to-date" in (await tree.push()).said

    await tree.commit({"more.py": "1"})
    again = await tree.push()
    assert again.status == 0, again.said
    assert manifest(world).lock is None
    assert len(world.operator.builds) == 2


@pytest.mark.parametrize("path", ["objects/batch", "locks/verify"])
async def test_git_lfs_is_told_what_to_do(world: World, path: str) -> None:
    async with (
        aiohttp.ClientSession(world.url) as session,
        session.post(f"/hello.git/info/lfs/{path}", json={}) as answer,
    ):
        assert answer.status == 501
        assert answer.content_type == "application/vnd.git-lfs+json"
        assert "git push --no-verify" in (await answer.json(content_type=None))["message"]


async def test_too_many_submodules(
    world: World, tree: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_MOST_SUBMODULES", 1)
    commit = await tree.must("rev-parse", "HEAD")
    for name in ("one", "two"):
        await tree.must("update-index", "--add", "--cacheinfo", f"160000,{commit},{name}")
    await tree.must("commit", "-q", "-m", "submodules")
    done = await tree.push()
    assert " !     The commit has 2 submodules, at most 1 may be" in done.remote
    assert nothing_happened(world)


async def test_two_pushes_at_once_wait_and_tell(
    world: World, tree: Checkout, tmp_path: Path
) -> None:
    world.operator.script = gated
    other = await checkout(tmp_path / "other", world.url)
    await other.commit({"other.py": "1"})
    first = await tree.start("push", "heroku", "main")
    await until_building(first, "Building on")
    second = await other.start("push", "heroku", "main")
    heard = await until_building(second, "Waiting for another push")
    assert f"Waiting for another push to hello by {USER} to finish..." in heard
    world.operator.gate.set()

    assert "Released v1" in await rest(first)
    said = await rest(second)
    assert "refs/heads/main was moved to" in said
    assert "git pull heroku main" in said
    assert len(world.operator.builds) == 1
    assert manifest(world).lock is None


async def test_a_push_waits_for_another_and_then_goes_on(world: World, tree: Checkout) -> None:
    world.operator.script = gated
    first = await tree.start("push", "heroku", "main:master")
    await until_building(first, "Building on")
    second = await tree.start("push", "heroku", "main")
    await until_building(second, "Waiting for another push")
    world.operator.gate.set()
    assert "Released v1" in await rest(first)
    assert "Released v2" in await rest(second)
    assert set(manifest(world).refs) == {"refs/heads/main", "refs/heads/master"}


async def test_a_lost_connection_stops_nothing(world: World, tree: Checkout) -> None:
    world.operator.script = gated
    process = await tree.start("push", "heroku", "main")
    await until_building(process, "Building on")
    os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    world.operator.gate.set()
    await world.quiet()
    assert manifest(world).lock is None
    assert world.operator.versions["hello"] == 1
    again = await tree.push()
    assert "Everything up-to-date" in again.said


async def test_a_push_without_the_right_to_build(world: World, tree: Checkout) -> None:
    world.cluster.denied.add((USER, "create", "builds"))
    done = await tree.push()
    assert f"{USER} may not create builds in namespace team-a" in done.said
    assert nothing_happened(world)


@pytest.fixture
async def small() -> AsyncIterator[World]:
    async with running(Settings(public_port=8080, source_limit=200_000)) as platform:
        platform.cluster.app("hello")
        yield platform


async def test_a_push_over_the_limit(small: World, tmp_path: Path) -> None:
    tree = await checkout(tmp_path / "a", small.url)
    noise = hashlib.shake_128(b"seed").hexdigest(200_000)
    await tree.commit({"big.txt": noise})
    done = await tree.push()
    assert done.status == 1, done.said
    assert " !     The push is larger than 200,000 bytes." in done.remote
    assert "HAIKUBE_SOURCE_LIMIT" in done.said
    assert nothing_happened(small)


async def test_a_source_over_the_limit(small: World, tmp_path: Path) -> None:
    """Small on the wire, where each file lies once, and large when it is packed.

    Between two copies lies more than what a packer looks back on.
    """
    tree = await checkout(tmp_path / "a", small.url)
    noise = hashlib.shake_128(b"seed").hexdigest(40_000)
    copies = {f"{number:02}-copy.txt": noise for number in range(0, 20, 2)}
    gaps = {f"{number:02}-gap.txt": "0" * 5_000_000 for number in range(1, 20, 2)}
    await tree.commit(copies | gaps)
    done = await tree.push()
    assert " !     The packed source is larger than 200,000 bytes" in done.remote
    assert nothing_happened(small)


async def until_building(process: asyncio.subprocess.Process, text: str) -> str:
    """Read what git prints up to a line that holds ``text``."""
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(60):
        while text not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    return said


async def rest(process: asyncio.subprocess.Process) -> str:
    said, _ = await process.communicate()
    return said.decode()
