"""Real git clients, two at once, onto two replicas, while the storage fails: nobody is lied to.

``HAIKUBE_HISTORIES`` sets how many random histories are tried, ``HAIKUBE_FIRST_SEED`` where they
begin and ``HAIKUBE_BIG_FILE`` how many bytes the largest file has; a test's id is its seed.
"""

from __future__ import annotations

import asyncio
import filecmp
import os
from pathlib import Path
from random import Random

import pytest

from git.client import Checkout, Done, checkout
from git.histories import MAIN, Flaky, Person
from haikube.cluster.port import Json
from haikube.model.resources import BUILDS
from world import Operator, World, fail, running, succeed

HISTORIES = int(os.environ.get("HAIKUBE_HISTORIES", "6"))
FIRST = int(os.environ.get("HAIKUBE_FIRST_SEED", "1"))
BIG = int(os.environ.get("HAIKUBE_BIG_FILE", "3000000"))
ROUNDS = 3

Refs = dict[str, str]


async def refs_of(tree: Checkout) -> dict[str, str]:
    lines = (await tree.must("ls-remote", "heroku")).splitlines()
    pairs = (line.split("\t") for line in lines)
    return {ref: name for name, ref in pairs if ref != "HEAD" and not ref.endswith("^{}")}


async def released(world: World) -> set[str]:
    """Return the commits of all builds that became a release."""
    builds = (await world.cluster.list(BUILDS)).items
    done = [build for build in builds if (build.get("status") or {}).get("release")]
    return {build["spec"]["version"] for build in done}


def accept(
    before: dict[str, str], after: dict[str, str], pushes: list[tuple[Person, Done]]
) -> None:
    """Insist that each ref is what a push that said success made of it, or as before."""
    won = [person.won for person, _ in pushes]
    for ref in {*before, *after, *(ref for wishes in won for ref in wishes)}:
        wanted = [wishes[ref] for wishes in won if ref in wishes]
        allowed = wanted or [before.get(ref, "")]
        assert after.get(ref, "") in allowed, (ref, before, after, [done for _, done in pushes])


async def is_whole(world: World, tree: Checkout, folder: Path) -> None:
    """Insist that a fresh replica has it all: git fsck, a clone, and its files byte by byte."""
    uid = str(world.cluster.app("hello")["metadata"]["uid"])
    async with running(beside=world) as fresh:
        address = tree.remote.replace(tree.remote.partition("@")[2], f"{fresh.url[7:]}/hello.git")
        await tree.must("clone", "-q", address, str(folder))
        async with fresh.app.state.context.git._snapshots.open(uid) as snapshot:
            await fsck(tree, f"--git-dir={snapshot.path}")
    await fsck(Checkout(folder, ""))


async def fsck(tree: Checkout, *options: str) -> None:
    lines = (await tree.must(*options, "fsck", "--full", "--strict", "--no-dangling")).splitlines()
    assert [line for line in lines if not line.startswith("notice: ")] == []


async def same_files(person: Person, clone: Path) -> None:
    await person.tree.must("checkout", "-q", "--force", "main")
    names = (await person.tree.must("ls-files")).splitlines()
    pair = (person.tree.folder, clone)
    assert filecmp.cmpfiles(*pair, names, shallow=False) == (names, [], [])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
async def test_what_a_push_says_is_so(seed: int, tmp_path: Path) -> None:
    random = Random(seed)  # noqa: S311 - a test that can be repeated

    async def play(operator: Operator, build: Json) -> None:
        await (fail if random.random() < 0.15 else succeed)(operator, build)

    storage = Flaky(random)
    async with running(storage=storage) as world, running(beside=world) as replica:
        world.cluster.app("hello")
        world.operator.script = play
        people = [
            Person(await checkout(tmp_path / name, where.url), Random(random.random()), BIG)  # noqa: S311
            for name, where in (("ada", world), ("bob", replica))
        ]
        for person in people:
            await person.tree.commit({"kept.py": person.tree.folder.name})
        for number in range(ROUNDS):
            for person in people:
                await person.catch_up()
                await person.work()
            before = await refs_of(people[0].tree)
            had = await released(world)
            storage.rate = random.choice([0, 0.02, 0.05, 0.2])
            pushes = [
                person.push_shallow() if random.random() < 0.15 else person.push()
                for person in people
            ]
            done = list(zip(people, await asyncio.gather(*pushes), strict=True))
            await world.quiet()
            await replica.quiet()
            storage.rate = 0
            after = await refs_of(people[0].tree)
            accept(before, after, done)
            new = await released(world) - had
            won = {each.won.get(MAIN) for each in people}
            assert new <= won, [result for _, result in done]
            moved = {name for name in won if name and name != before.get(MAIN)}
            assert moved <= had | new, [result for _, result in done]
            await is_whole(world, people[0].tree, tmp_path / f"clone-{number}")
            for person, result in done:
                mine = await person.tree.must("rev-parse", "main")
                if not result.status and mine == after.get(MAIN):
                    await same_files(person, tmp_path / f"clone-{number}")
