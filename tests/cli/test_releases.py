"""``haikube releases retry``: which release it is, and how it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import click
import pytest

from haikube.cli.platform import Platform
from haikube.cli.releases import run_again
from haikube.model import labels
from haikube.model.resources import RELEASES
from world import NAMESPACE, World

TYPES = [{"name": "release", "command": "x"}]
SLUG = {"digest": f"sha256:{'0' * 64}", "sizeBytes": 1, "processTypes": TYPES}


async def release(world: World, version: int, result: str, slug: str) -> None:
    name = f"hello-v{version}"
    spec = {"appRef": {"name": "hello"}, "version": version, "stack": "debian-13"}
    body = {
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {labels.APP: "hello"}},
        "spec": {**spec, "slug": {"key": slug, **SLUG}},
        "status": {"result": result},
    }
    world.cluster.seed(RELEASES, body)
    await asyncio.sleep(0)


async def play(world: World, result: str) -> None:
    """Do what the operator does with a release that is to run again."""
    async for event in world.cluster.watch(RELEASES):
        meta = event.object["metadata"]
        if (meta.get("annotations") or {}).get(labels.RETRY):
            for each in ("Pending", result):
                status: dict[str, Any] = {"status": {"result": each}}
                place = (RELEASES, meta["name"], NAMESPACE)
                await world.cluster.patch(*place, status, subresource="status")
                await asyncio.sleep(0.5)
            return


@pytest.mark.parametrize(("result", "ended"), [("Succeeded", True), ("Failed", False)])
@pytest.mark.parametrize("version", [None, "v3", "3"])
async def test_the_newest_failed_release_runs_again(
    world: World, platform: Platform, result: str, version: str | None, *, ended: bool
) -> None:
    for number, before in ((1, "Failed"), (2, "Succeeded"), (3, "Failed")):
        await release(world, number, before, f"slugs/{number}")
    operator = asyncio.create_task(play(world, result))
    async with asyncio.timeout(60):
        assert await run_again(platform, "hello", version) is ended
        await operator
    marked = await world.cluster.get(RELEASES, "hello-v3", NAMESPACE)
    assert labels.RETRY in marked["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (None, "no release of hello failed."),
        ("v1", "v1 did not fail."),
        ("v9", "v9 did not fail."),
    ],
)
async def test_a_release_that_did_not_fail(
    world: World, platform: Platform, version: str | None, words: str
) -> None:
    await release(world, 1, "Succeeded", "slugs/1")
    with pytest.raises(click.ClickException) as refused:
        await run_again(platform, "hello", version)
    assert refused.value.message == words


async def test_code_that_runs_already(world: World, platform: Platform) -> None:
    await release(world, 1, "Failed", "slugs/1")
    await release(world, 2, "Succeeded", "slugs/1")
    with pytest.raises(click.ClickException, match="v2 has the code of v1 already"):
        await run_again(platform, "hello", "v1")
