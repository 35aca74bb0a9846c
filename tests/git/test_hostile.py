"""Repositories and requests made to do harm: they are refused, and the platform goes on."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import aiohttp
import pytest

from git.client import Checkout, unpacked
from haikube.git import console as console_module
from haikube.git import source
from haikube.git.command import Git
from haikube.git.console import HookConsole
from haikube.git.packs import PackCache
from haikube.git.pipe import Pipe
from haikube.storage.memory import MemoryStorage
from world import TOKEN, World

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
RECEIVE = {**HEADERS, "Content-Type": "application/x-git-receive-pack-request"}


async def write(tree: Checkout, kind: str, data: bytes) -> str:
    """Write an object that git itself would refuse to make."""
    path = tree.folder.parent / "object"
    await asyncio.to_thread(path.write_bytes, data)
    return await tree.must("hash-object", "-t", kind, "-w", "--literally", str(path))


async def commit_tree(tree: Checkout, entries: list[tuple[str, str, str]]) -> None:
    raw = b"".join(
        f"{mode} {name}".encode() + b"\0" + bytes.fromhex(target) for mode, name, target in entries
    )
    made = await write(tree, "tree", raw)
    commit = await tree.must("commit-tree", made, "-m", "hostile")
    await tree.must("update-ref", "refs/heads/hostile", commit)


@pytest.mark.parametrize("name", [".git", ".GIT", "..", ".", "a/b", ".git "])
async def test_trees_that_reach_out_are_refused(world: World, tree: Checkout, name: str) -> None:
    blob = await write(tree, "blob", b"#!/bin/sh\ntouch /tmp/owned\n")
    inner = await write(tree, "tree", b"100755 hook\0" + bytes.fromhex(blob))
    await commit_tree(tree, [("40000", name, inner)])
    done = await tree.push("hostile:main")
    if done.status:
        assert not world.operator.builds
    else:  # a name that no file system takes for .git is only a name
        assert name == ".git "


async def test_submodule_urls_that_are_options_are_refused(world: World, tree: Checkout) -> None:
    text = b'[submodule "x"]\n\tpath = x\n\turl = --upload-pack=touch /tmp/owned\n'
    blob = await write(tree, "blob", text)
    await commit_tree(tree, [("100644", ".gitmodules", blob)])
    done = await tree.push("hostile:main")
    assert done.status == 1
    assert "gitmodulesUrl" in done.said
    assert not world.operator.builds


async def test_a_tree_that_unfolds_without_end_is_refused(
    world: World, tree: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten levels of ten equal folders are ten thousand million files in a few kilobytes."""
    monkeypatch.setattr(source, "_MOST_FILES", 5_000)
    entry = ("100644", await write(tree, "blob", b"x"))
    for _ in range(10):
        raw = b"".join(
            f"{entry[0]} {number}".encode() + b"\0" + bytes.fromhex(entry[1])
            for number in range(10)
        )
        entry = ("40000", await write(tree, "tree", raw))
    commit = await tree.must("commit-tree", entry[1], "-m", "bomb")
    await tree.must("update-ref", "refs/heads/hostile", commit)
    done = await tree.push("hostile:main")
    assert "more than 5,000 files" in done.said
    assert not world.operator.builds


async def test_attributes_do_not_change_the_source(world: World, tree: Checkout) -> None:
    files = {
        ".gitattributes": "secret.py export-ignore\nversion.txt export-subst\n",
        "secret.py": "x",
        "version.txt": "$Format:%H$\n",
        "odd\nname": "1",
        "-rf": "2",
    }
    await tree.commit(files)
    done = await tree.push()
    assert done.status == 0, done.said
    key = world.operator.builds[0]["spec"]["source"]["archive"]["key"]
    with unpacked(world.storage.objects[key]) as archive:
        assert set(files) <= set(archive.getnames())
        version = archive.extractfile("version.txt")
        assert version is not None
        assert version.read() == b"$Format:%H$\n"


@pytest.mark.parametrize(
    "body",
    [b"", b"0000", b"garbage", b"ffff", b"0004", b"00a0" + b"\xff" * 156, b"0" * 1000],
)
async def test_garbage_ends_in_an_answer(world: World, body: bytes) -> None:
    async with aiohttp.ClientSession(world.url) as session:
        for service in ("receive", "upload"):
            path = f"/hello.git/git-{service}-pack"
            kind = f"application/x-git-{service}-pack-request"
            headers = {**HEADERS, "Content-Type": kind, "Git-Protocol": "version=2"}
            async with session.post(path, data=body, headers=headers) as answer:
                assert answer.status == 200
                await answer.read()
    assert not world.operator.builds


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**HEADERS, "Content-Type": "text/plain"}, 415),
        ({**RECEIVE, "Content-Encoding": "br"}, 400),
        ({**RECEIVE, "Content-Encoding": "gzip"}, 400),
        ({"Content-Type": "application/x-git-receive-pack-request"}, 401),
    ],
)
async def test_what_is_no_push_is_refused(
    world: World, headers: dict[str, str], status: int
) -> None:
    async with (
        aiohttp.ClientSession(world.url) as session,
        session.post("/hello.git/git-receive-pack", data=b"0000", headers=headers) as answer,
    ):
        assert answer.status == status
        assert answer.content_type == "text/plain"


@pytest.mark.parametrize("query", ["", "?service=git-upload-archive", "?service=--help"])
async def test_only_two_services_exist(world: World, query: str) -> None:
    async with (
        aiohttp.ClientSession(world.url, headers=HEADERS) as session,
        session.get(f"/hello.git/info/refs{query}") as answer,
    ):
        assert answer.status == 403
        assert "smart HTTP" in await answer.text()


@pytest.mark.parametrize("path", ["HEAD", "config", "objects/info/packs", "hooks/pre-receive"])
async def test_files_of_a_repository_are_not_served(world: World, path: str) -> None:
    async with (
        aiohttp.ClientSession(world.url, headers=HEADERS) as session,
        session.get(f"/hello.git/{path}") as answer,
    ):
        assert answer.status == 404


async def test_git_that_is_not_read_to_its_end_is_ended(tmp_path: Path) -> None:
    """Its pipe is full by then, which asyncio would wait for without end."""
    git = Git(tmp_path, tmp_path, 1_000, 400 << 20)
    await git.run("init", "-q", "--bare", "r")
    (tmp_path / "big").write_bytes(b"x" * 20_000_000)
    name = (await git.run("--git-dir=r", "hash-object", "-w", "big")).decode().strip()
    async with asyncio.timeout(60):
        for _ in range(3):
            output = git.output("--git-dir=r", "cat-file", "blob", name)
            async with aclosing(output):
                assert await anext(output)
                for _ in range(2_000):  # the loop turns until every buffer is full
                    await asyncio.sleep(0)


class Stalled:
    """A writer whose reader never reads."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.transport = self

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.written))

    async def drain(self) -> None:
        await asyncio.Event().wait()


async def test_a_reader_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_module, "_STALL_SECONDS", 0.01)
    writer = Stalled()
    console = HookConsole(writer)  # type: ignore[arg-type] - stands in for a stream
    for _ in range(400):
        await console.output(b"x" * 9_999 + b"\n")
    assert 1_000_000 < writer.get_write_buffer_size() < 1_100_000


async def test_however_many_lines_a_chunk_has_it_is_one_write() -> None:
    writer = Stalled()
    console = HookConsole(writer)  # type: ignore[arg-type] - stands in for a stream
    await console.begin("Compiling... ")
    await console.output(b"\x1b[2Jnoise\n" * 1_000 + b"the beg")
    await console.output(b"inning of another\n\n")

    said = [json.loads(line)["say"] for line in writer.written]
    assert said == ["Compiling... ", "[2Jnoise\n" * 1_000, "the beginning of another\n\n"]


async def test_a_line_without_end_is_cut() -> None:
    writer = Stalled()
    console = HookConsole(writer)  # type: ignore[arg-type] - stands in for a stream
    for _ in range(5):
        await console.output(b"x" * 4_000)
    await console.end_line()
    lines = [json.loads(line)["say"] for line in writer.written]
    assert max(map(len, lines)) <= 10_001
    assert "".join(lines).count("\n") == 2


async def test_git_never_waits_for_a_reader_that_left() -> None:
    pipe = Pipe()
    reader = pipe.read()
    await pipe.write(b"first")
    assert await anext(reader) == b"first"
    await reader.aclose()  # type: ignore[attr-defined] - an async generator
    for _ in range(1_000):
        await pipe.write(b"x")
    await pipe.close()


async def test_the_pack_cache_drops_what_was_used_longest_ago(tmp_path: Path) -> None:
    storage = MemoryStorage()
    pack = f"pack-{'a' * 40}"
    for uid in ("one", "two", "three"):
        for suffix in (".pack", ".idx"):
            await storage.put(f"git/{uid}/packs/{pack}{suffix}", b"x" * 1_000)
    targets: list[Path] = []
    cache = PackCache(storage, tmp_path / "cache", limit=4_500)
    for uid in ("one", "two", "one", "three"):
        target = tmp_path / f"{uid}-{len(targets)}"
        targets.append(target)
        await asyncio.to_thread(target.mkdir)
        await cache.link(uid, [pack], target)
        assert (target / f"{pack}.pack").read_bytes() == b"x" * 1_000
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"one", "three"}
