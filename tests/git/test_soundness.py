"""Whatever git or we refuse is refused before anything is built; afterwards all is as before."""

from __future__ import annotations

import asyncio
import io
import subprocess
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git.client import Checkout, checkout
from haikube.git import command
from haikube.git.hooks import Update
from haikube.git.manifest import ABSENT, Manifest, Manifests
from haikube.git.pktline import FLUSH, encode
from haikube.git.refusal import Refused
from haikube.git.rules import is_pushable, require_room
from haikube.settings import Settings
from world import TOKEN, World, gated, running

NEW = "1" * 40


async def manifest_of(world: World) -> Manifest:
    uid = str(world.cluster.app("hello")["metadata"]["uid"])
    return (await Manifests(world.storage).load(uid))[0]


async def is_untouched(world: World) -> bool:
    packs = [key for key in world.storage.objects if "/packs/" in key]
    return await manifest_of(world) == Manifest() and not packs and not world.operator.builds


async def shallow(tree: Checkout) -> Checkout:
    """Return a clone of depth 1 of a tree with some history, as a CI job makes it."""
    for number in range(3):
        await tree.commit({"count": str(number)})
    folder = tree.folder.with_name("ci")
    await tree.must("clone", "-q", "--depth", "1", f"file://{tree.folder}", str(folder))
    clone = Checkout(folder, tree.remote)
    await clone.must("remote", "add", "heroku", tree.remote)
    return clone


async def test_a_shallow_clone_is_refused_before_the_build(world: World, tree: Checkout) -> None:
    clone = await shallow(tree)
    done = await clone.push("HEAD:refs/heads/main")
    assert done.status == 1
    assert " !     Fetch it and push again: git fetch --unshallow" in done.remote
    assert await is_untouched(world)

    await clone.must("fetch", "-q", "--unshallow")
    again = await clone.push("HEAD:refs/heads/main")
    assert again.status == 0, again.said
    await tree.must("clone", "-q", tree.remote, str(tree.folder.with_name("clone")))


async def test_a_shallow_clone_of_what_the_platform_has_deploys(tree: Checkout) -> None:
    clone = await shallow(tree)
    assert (await tree.push()).status == 0
    await clone.commit({"more.py": "1"})
    done = await clone.push("HEAD:refs/heads/main")
    assert done.status == 0, done.said
    folder = tree.folder.with_name("clone")
    await tree.must("clone", "-q", tree.remote, str(folder))
    assert len((await Checkout(folder, "").must("log", "--oneline")).splitlines()) == 5


async def test_a_shallow_clone_of_what_no_branch_holds_any_more_deploys(tree: Checkout) -> None:
    clone = await shallow(tree)
    assert (await tree.push()).status == 0
    assert (await tree.push("+HEAD~2:main")).status == 0
    await clone.commit({"more.py": "1"})
    done = await clone.push("+HEAD:refs/heads/main")
    assert done.status == 0, done.said
    folder = tree.folder.with_name("clone")
    await tree.must("clone", "-q", tree.remote, str(folder))
    assert len((await Checkout(folder, "").must("log", "--oneline")).splitlines()) == 5


async def test_a_shallow_tag_beside_a_whole_branch_is_refused(world: World, tree: Checkout) -> None:
    clone = await shallow(tree)
    await clone.must("tag", "v1")
    await clone.must("checkout", "-q", "--orphan", "whole")
    await clone.commit({"whole.py": "1"})
    done = await clone.push("whole:main", "v1")
    assert done.status == 1
    assert await is_untouched(world)


async def test_an_annotated_tag_is_no_branch(world: World, tree: Checkout) -> None:
    await tree.must("tag", "-a", "v1.0", "-m", "first")
    done = await tree.push("v1.0:refs/heads/main")
    assert done.status == 1
    assert "git push heroku 'TAG^{}:main'" in done.said
    assert await is_untouched(world)
    again = await tree.push("v1.0^{}:refs/heads/main")
    assert again.status == 0, again.said


@pytest.mark.parametrize("what", ["main^{tree}", "main:app.py"])
async def test_what_is_no_commit_is_no_branch(world: World, tree: Checkout, what: str) -> None:
    name = await tree.must("rev-parse", what)
    done = await tree.push(f"{name}:refs/heads/main")
    assert done.status == 1, done.said
    assert await is_untouched(world)


async def send(world: World, tree: Checkout, objects: str, commit: str) -> str:
    """Push a pack of the named objects alone, as no honest client would."""
    process = await asyncio.create_subprocess_exec(
        "git",
        "pack-objects",
        "--stdout",
        "-q",
        cwd=tree.folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    pack, _ = await process.communicate(objects.encode())
    wish = f"{ABSENT} {commit} refs/heads/main\0report-status side-band-64k\n"
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/x-git-receive-pack-request",
    }
    body = encode(wish.encode()) + FLUSH + pack
    async with (
        aiohttp.ClientSession(world.url, headers=headers) as session,
        session.post("/hello.git/git-receive-pack", data=body) as answer,
    ):
        return (await answer.read()).decode(errors="replace")


async def test_a_commit_without_its_tree_is_refused(world: World, tree: Checkout) -> None:
    commit = await tree.must("rev-parse", "HEAD")
    said = await send(world, tree, f"{commit}\n", commit)
    assert "ng refs/heads/main" in said
    assert await is_untouched(world)


async def test_a_tree_without_its_files_is_refused(world: World, tree: Checkout) -> None:
    commit = await tree.must("rev-parse", "HEAD")
    objects = [commit, await tree.must("rev-parse", "HEAD^{tree}")]
    said = await send(world, tree, "\n".join(objects) + "\n", commit)
    assert "ng refs/heads/main" in said
    assert await is_untouched(world)


async def test_a_commit_that_git_fsck_refuses_is_refused(world: World, tree: Checkout) -> None:
    made = await tree.must("rev-parse", "HEAD^{tree}")
    text = f"tree {made}\nauthor nobody\ncommitter nobody\n\nx\n"
    path = tree.folder.parent / "object"
    await asyncio.to_thread(path.write_text, text)
    commit = await tree.must("hash-object", "-t", "commit", "-w", "--literally", str(path))
    await tree.must("update-ref", "refs/heads/hostile", commit)
    done = await tree.push("hostile:main")
    assert done.status == 1
    assert await is_untouched(world)


@pytest.mark.parametrize(
    ("first", "second"), [("v1", "v1/rc"), ("v1/rc", "v1"), ("a/b", "a/b/c/d")]
)
async def test_a_name_that_is_a_folder_of_another_is_refused(
    world: World, tree: Checkout, first: str, second: str
) -> None:
    assert (await tree.push(f"main:refs/tags/{first}")).status == 0
    await tree.commit({"more.py": "1"})
    done = await tree.push("main", f"main:refs/tags/{second}")
    assert done.status == 1
    assert f"refs/tags/{second}" in done.said
    assert "cannot stand beside" in done.said
    assert not world.operator.builds
    assert set((await manifest_of(world)).refs) == {f"refs/tags/{first}"}


async def test_tags_have_a_quota(tmp_path: Path) -> None:
    async with running(Settings(public_port=8080, git_refs_limit=3)) as world:
        world.cluster.app("hello")
        tree = await checkout(tmp_path / "hello", world.url)
        await tree.commit({"app.py": "1"})
        for number in range(3):
            await tree.must("tag", f"v{number}")
        assert (await tree.push("--tags")).status == 0
        done = await tree.push("main")
        assert "4 branches and tags, more than 3" in done.said
        assert "git push heroku --delete NAME" in done.said
        assert "HAIKUBE_GIT_REFS_LIMIT" in done.said
        assert not world.operator.builds
        assert (await tree.push(":v0", "main")).status == 0


PIECES = st.sampled_from(["a", "b", ".", "..", "/", "lock", ".lock", "@", "{", "@{", "-", "é", "~"])
NAMES = st.lists(PIECES, min_size=1, max_size=6).map("".join)


@settings(max_examples=60)
@given(NAMES)
def test_only_names_that_git_takes_are_taken(name: str) -> None:
    ref = f"refs/heads/{name}"
    done = subprocess.run(["git", "check-ref-format", ref], check=False)
    assert is_pushable(ref) == (done.returncode == 0)


@pytest.mark.parametrize("name", ["x" * 201, "é" * 101, "\udcff", "a b", "a\nb", "\x1b[2J"])
def test_names_that_no_file_system_or_terminal_takes_are_refused(name: str) -> None:
    assert not is_pushable(f"refs/heads/{name}")


PARTS = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map("/".join)


@given(st.sets(PARTS), st.sets(PARTS, min_size=1), st.sets(PARTS))
def test_room_is_for_refs_that_can_be_files(old: set[str], new: set[str], gone: set[str]) -> None:
    def refs(names: set[str]) -> set[str]:
        return {f"refs/tags/{name}" for name in names}

    manifest = Manifest(dict.fromkeys(refs(old), NEW))
    made = [Update(ABSENT, NEW, ref) for ref in refs(new)]
    ended = [Update(NEW, ABSENT, ref) for ref in refs(gone - new)]
    left = refs((old - gone) | new)
    clash = any(other.startswith(f"{ref}/") for ref in left for other in left)
    try:
        require_room([*made, *ended], manifest, 5000)
    except Refused:
        assert clash
    else:
        assert not clash


async def test_a_push_of_nothing_but_a_deletion_sends_no_pack(world: World, tree: Checkout) -> None:
    await tree.push("main", "main:feature")
    before = {key for key in world.storage.objects if "/packs/" in key}
    assert (await tree.push(":feature")).status == 0
    assert {key for key in world.storage.objects if "/packs/" in key} == before


async def test_an_atomic_push_is_all_or_nothing(world: World, tree: Checkout) -> None:
    name = await tree.must("rev-parse", "main^{tree}")
    done = await tree.push("main", f"{name}:refs/heads/tree", options=("--atomic",))
    assert done.status == 1
    assert await is_untouched(world)


async def test_clients_of_any_protocol_push_and_fetch(tree: Checkout, tmp_path: Path) -> None:
    for version in ("0", "1", "2"):
        await tree.commit({"version": version})
        done = await tree.git("-c", f"protocol.version={version}", "push", "heroku", "main")
        assert done.status == 0, done.said
        folder = str(tmp_path / f"clone-{version}")
        await tree.must("-c", f"protocol.version={version}", "clone", "-q", tree.remote, folder)
    assert await asyncio.to_thread((tmp_path / "clone-2" / "version").read_text) == "2"


async def test_an_empty_clone_takes_a_push(world: World, tmp_path: Path) -> None:
    world.cluster.app("fresh")
    made = await checkout(tmp_path / "fresh", world.url, "fresh")
    await made.must("clone", "-q", made.remote, str(tmp_path / "empty"))


async def test_a_silent_build_sends_a_sign_of_life(
    world: World, tree: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between platform and person there are routers that end what is silent for a minute."""
    assert int(command._CONFIG["receive.keepAlive"]) <= 15
    monkeypatch.setitem(command._CONFIG, "receive.keepAlive", "1")
    world.operator.script = gated
    commit = await tree.must("rev-parse", "HEAD")
    objects = (await tree.must("rev-list", "--objects", "--no-object-names", "HEAD")) + "\n"
    sent = asyncio.create_task(send(world, tree, objects, commit))
    await asyncio.sleep(4)
    world.operator.gate.set()
    said = await sent
    silence = said[said.index("Building on") : said.index("after the gate")]
    assert silence.count("0005\x01") >= 2
    assert "ok refs/heads/main" in said


async def test_a_fetch_of_an_old_protocol_with_a_long_history_on_both_sides_ends(
    world: World, tree: Checkout
) -> None:
    """The answer to each line of the request is written while the request is read."""
    await tree.push()
    commit = await tree.must("rev-parse", "HEAD")
    wish = encode(f"want {commit} multi_ack_detailed side-band-64k\n".encode()) + FLUSH
    haves = b"".join(encode(f"have {commit}\n".encode()) for _ in range(60_000))
    body = wish + haves + encode(b"done\n")
    kind = {"Content-Type": "application/x-git-upload-pack-request"}
    headers = {"Authorization": f"Bearer {TOKEN}", **kind}
    async with (
        asyncio.timeout(60),
        aiohttp.ClientSession(world.url, headers=headers) as session,
        session.post("/hello.git/git-upload-pack", data=io.BytesIO(body)) as answer,
    ):
        assert b"PACK" in await answer.read()
