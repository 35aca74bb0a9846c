"""What we read and write ourselves: pkt-lines, hook calls, manifests, console text, bodies."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import struct
import subprocess
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from haikube.git import pktline
from haikube.git.body import BodyDamaged, BodyTooLarge, read_body
from haikube.git.command import Git, GitError
from haikube.git.hooks import Update, parse_call
from haikube.git.manifest import ABSENT, Damaged, Lock, Manifest, is_ref, parse
from haikube.git.refusal import Busy, Refused
from haikube.git.rules import DEPLOY_REFS, choose
from haikube.git.slots import Slots

MEMORY = 400 << 20

OBJECTS = st.text("0123456789abcdef", min_size=40, max_size=40)
BRANCHES = st.text("abcdefxyz0123456789-_./", min_size=1, max_size=40)
REFS = st.builds("refs/{}/{}".format, st.sampled_from(["heads", "tags"]), BRANCHES).filter(is_ref)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
)


@given(st.binary(max_size=2000))
def test_a_pkt_line_says_its_length(payload: bytes) -> None:
    line = pktline.encode(payload)
    assert int(line[:4], 16) == len(line)
    assert line[4:] == payload


def test_a_pkt_line_has_a_longest_length() -> None:
    assert pktline.encode(b"x" * 65_516).startswith(b"fff0")
    with pytest.raises(ValueError, match="at most 65516 bytes, not 65517"):
        pktline.encode(b"x" * 65_517)


@given(st.text(max_size=300), st.integers(1, 400))
def test_progress_of_any_length_arrives_whole(text: str, times: int) -> None:
    data, said = pktline.progress(text * times), b""
    while data:
        size = int(data[:4], 16)
        assert data[4:5] == b"\x02"
        said, data = said + data[5:size], data[size:]
    assert said.decode() == text * times


@given(
    st.dictionaries(REFS, OBJECTS, max_size=5),
    st.lists(st.builds("pack-{}".format, OBJECTS), max_size=4),
    st.none() | st.builds(Lock, st.text(), st.text(), st.integers(0)),
)
def test_a_manifest_survives_storage(
    refs: dict[str, str], packs: list[str], lock: Lock | None
) -> None:
    manifest = Manifest(refs, tuple(packs), lock)
    assert parse(manifest.dump()) == manifest


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_a_manifest_is_right_or_damaged(data: bytes) -> None:
    try:
        manifest = parse(data)
    except Damaged:
        return
    assert all(map(is_ref, manifest.refs))


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/a\nrefs/heads/b",
        "refs/heads/../../config",
        "refs/heads/a b",
        "refs/heads/",
        "HEAD",
        "refs/heads/a\x00",
        "refs/remotes/x/y",
        "/etc/passwd",
    ],
)
def test_a_manifest_with_a_bad_ref_is_damaged(ref: str) -> None:
    with pytest.raises(Damaged):
        parse(json.dumps({"refs": {ref: "0" * 40}, "packs": [], "lock": None}).encode())


@given(JSON)
def test_a_hook_call_is_right_or_refused(value: Any) -> None:
    try:
        _, call = parse_call(json.dumps(value).encode())
    except (ValueError, KeyError, TypeError):
        return
    assert all(len(update.new) == 40 for update in call.updates)


@given(st.lists(st.builds(Update, OBJECTS, OBJECTS | st.just(ABSENT), st.text(max_size=40))))
def test_only_deploy_branches_and_tags_pass(updates: list[Update]) -> None:
    try:
        chosen = choose(tuple(updates))
    except Refused:
        return
    assert chosen is None or chosen.ref in DEPLOY_REFS
    assert all(update.ref in DEPLOY_REFS or update.ref[:10] == "refs/tags/" for update in updates)


def request(chunks: list[bytes], **headers: str) -> Request:
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": pairs}, receive)


async def collect(body: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in body])


def gzipped(data: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(data) + packer.flush()


@given(data=st.binary(max_size=5000), size=st.integers(1, 700), packed=st.booleans())
async def test_bodies_come_plain_or_gzipped_in_any_chunks(
    data: bytes, size: int, *, packed: bool
) -> None:
    raw = gzipped(data) if packed else data
    chunks = [raw[start : start + size] for start in range(0, len(raw), size)]
    headers = {"content_encoding": "gzip"} if packed else {}
    assert await collect(read_body(request(chunks, **headers), 10_000)) == data


@pytest.mark.parametrize("packed", [True, False])
async def test_a_body_over_the_limit_is_cut(*, packed: bool) -> None:
    data = gzipped(b"0" * 50_000_000) if packed else b"0" * 2_000_000
    headers = {"content_encoding": "gzip"} if packed else {}
    with pytest.raises(BodyTooLarge, match="longer than 1,000,000 bytes"):
        await collect(read_body(request([data], **headers), 1_000_000))


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [(b"not gzip", "gzip"), (gzipped(b"x" * 999)[:-9], "gzip"), (b"x", "br"), (b"", "gzip")],
)
async def test_a_body_that_is_not_what_it_says(raw: bytes, encoding: str) -> None:
    with pytest.raises(BodyDamaged):
        await collect(read_body(request([raw], content_encoding=encoding), 1000))


@pytest.mark.parametrize(
    "hostile",
    ["--output=/tmp/x", "-h", "--exec=sh", "HEAD; id", "$(id)", "`id`", "../../etc/passwd", "a\nb"],
)
async def test_no_value_becomes_an_option_or_a_command(repository: Path, hostile: str) -> None:
    home = repository.parent
    git = Git(home, home, 1000, MEMORY)
    with pytest.raises(GitError):
        await git.run(f"--git-dir={repository}", "ls-tree", "--", hostile)
    assert await asyncio.to_thread(lambda: list(home.iterdir())) == [repository]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True)
    return path


def test_nothing_of_the_machine_reaches_git(tmp_path: Path, monkeypatch: Any) -> None:
    for name in (
        "GIT_DIR",
        "GIT_SSH_COMMAND",
        "GIT_CONFIG_PARAMETERS",
        "HAIKUBE_STORAGE_SECRET_KEY",
    ):
        monkeypatch.setenv(name, "leaked")
    env = Git(tmp_path, tmp_path / "hooks", 1000, MEMORY).environment()
    assert "leaked" not in env.values()
    values = {
        env[f"GIT_CONFIG_KEY_{i}"]: env[f"GIT_CONFIG_VALUE_{i}"]
        for i in range(int(env["GIT_CONFIG_COUNT"]))
    }
    assert values["receive.fsckObjects"] == "true"
    assert values["receive.maxInputSize"] == "1000"
    assert values["core.hooksPath"] == str(tmp_path / "hooks")
    assert env["HOME"] == str(tmp_path)


def test_nobody_takes_all_slots() -> None:
    slots = Slots("pushes", most=3, each=2)
    with slots.take("ada"), slots.take("ada"):
        with pytest.raises(Busy, match="2 pushes of ada run already"), slots.take("ada"):
            pass
        with (
            slots.take("bob"),
            pytest.raises(Busy, match="3 pushes run here already"),
            slots.take("eve"),
        ):
            pass
    with slots.take("ada"):
        pass


async def test_a_body_that_drips_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0, 20)
    monkeypatch.setattr("haikube.git.body.monotonic", lambda: next(clock))
    with pytest.raises(BodyDamaged, match="less than 1,000 bytes per second"):
        await collect(read_body(request([b"x"] * 9), 1000))


async def test_git_that_unpacks_without_end_is_stopped(repository: Path) -> None:
    """A megabyte of zeros and a delta that copies it four hundred times: two kilobytes."""
    home = repository.parent
    git = Git(home, home, 1 << 30, memory=100 << 20)
    bomb = home / "bomb.pack"
    await asyncio.to_thread(bomb.write_bytes, delta_bomb(400))
    with pytest.raises(GitError, match="Out of memory"):
        await git.run(f"--git-dir={repository}", "index-pack", "--strict", str(bomb))


def delta_bomb(copies: int) -> bytes:
    base = bytes(1 << 20)
    name = hashlib.sha1(b"blob %d\0" % len(base) + base).digest()  # noqa: S324 - git's own names
    delta = number(len(base)) + number(copies << 20) + b"\xc0\x10" * copies
    objects = header(3, len(base)) + zlib.compress(base)
    objects += header(7, len(delta)) + name + zlib.compress(delta)
    pack = b"PACK" + struct.pack(">II", 2, 2) + objects
    return pack + hashlib.sha1(pack).digest()  # noqa: S324 - git's own names


def number(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + number(rest) if rest else bytes([low])


def header(kind: int, size: int) -> bytes:
    first, rest = (kind << 4) | (size & 15), size >> 4
    return bytes([first | 0x80]) + number(rest) if rest else bytes([first])
