"""git push with the real git, from the first byte to what the person reads."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from git.client import Checkout, checkout, unpacked
from haikube.build.source import SUBMODULES
from haikube.cluster.port import Json
from haikube.git import report
from haikube.git.manifest import parse
from haikube.model import labels
from haikube.model.resources import APPS, RELEASES
from haikube.settings import Settings
from world import NAMESPACE, Operator, World, fail, release_phase, running, succeed


async def test_a_push_builds_releases_and_says_so(tree: Checkout) -> None:
    commit = await tree.must("rev-parse", "HEAD")
    done = await tree.push()

    assert done.status == 0, done.said
    assert done.remote == [
        f"Updated 2 paths from {commit[:7]}",
        "Compressing source files... done.",
        "Building source:",
        "",
        "-----> Building on the Debian-13 stack",
        "-----> Python app detected",
        "-----> Launching...",
        "       Released v1",
        "       http://hello.localhost:8080/ deployed to Haikube",
        "",
        "Verifying deploy... done.",
    ]
    assert "main -> main" in done.said


async def test_a_release_that_does_not_run_is_told_and_the_push_stands(
    world: World, tree: Checkout
) -> None:
    world.operator.boot_problem = "web: web.1 crashed with exit status 3"
    done = await tree.push()

    assert done.status == 0, done.said
    assert done.remote[-2:] == [
        "Verifying deploy... failed.",
        " !     The release does not run: web: web.1 crashed with exit status 3",
    ]


async def test_what_goes_on_serving_is_told_where_a_release_does_not_run(
    world: World, tree: Checkout
) -> None:
    await tree.push()
    own = {labels.APP_UID: world.operator.builds[0]["metadata"]["labels"][labels.APP_UID]}
    await world.cluster.patch(RELEASES, "hello-v1", NAMESPACE, {"metadata": {"labels": own}})
    serving = {"status": {"serving": True}}
    await world.cluster.patch(RELEASES, "hello-v1", NAMESPACE, serving, subresource="status")
    await tree.commit({"more.py": ""})
    world.operator.boot_problem = "web: web.1 crashed with exit status 3"
    done = await tree.push()

    assert done.remote[-1] == " !     v1 goes on serving; heroku rollback v1 leaves it so."


async def test_the_build_names_the_stored_source(world: World, tree: Checkout) -> None:
    commit = await tree.must("rev-parse", "HEAD")
    await tree.push()

    build = world.operator.builds[0]
    archive = build["spec"]["source"]["archive"]
    data = world.storage.objects[archive["key"]]
    assert archive["key"].startswith("sources/")
    assert archive["sizeBytes"] == len(data)
    assert archive["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    with unpacked(data) as source:
        assert source.getnames() == ["Procfile", "app.py"]
    assert build["spec"]["version"] == commit
    assert build["spec"]["author"] == "ada@example.com"
    assert build["metadata"]["name"].startswith("hello-b-")
    assert build["metadata"]["ownerReferences"][0]["name"] == "hello"


async def test_the_source_tells_the_build_of_submodules(world: World, tree: Checkout) -> None:
    commit = await tree.must("rev-parse", "HEAD")
    for path in ("vendor/lib", "a b"):
        await tree.must("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    await tree.must("commit", "-q", "-m", "submodules")
    done = await tree.push()

    assert done.status == 0, done.said
    archive = world.operator.builds[0]["spec"]["source"]["archive"]
    with unpacked(world.storage.objects[archive["key"]]) as packed:
        note = packed.extractfile(SUBMODULES)
        assert note is not None
        assert note.read().decode() == f"{commit} a b\n{commit} vendor/lib"


async def test_the_app_names_the_folder_of_its_builds(world: World, tree: Checkout) -> None:
    source = {"git": {"url": "https://git.example/a", "subPath": "apps/web"}}
    for wanted in ({"path": "apps/web"}, source):
        await world.cluster.patch(APPS, "hello", NAMESPACE, {"spec": {"source": wanted}})
        await tree.commit({})
        done = await tree.push()
        assert done.status == 0, done.said
    assert [each["spec"]["source"]["path"] for each in world.operator.builds] == ["apps/web"] * 2


@pytest.mark.parametrize("branch", ["main", "master"])
async def test_main_and_master_both_deploy(world: World, tree: Checkout, branch: str) -> None:
    done = await tree.push(f"main:{branch}")
    assert done.status == 0, done.said
    assert len(world.operator.builds) == 1


async def test_a_second_push_sends_only_what_is_new(tree: Checkout) -> None:
    await tree.push()
    await tree.commit({"more.py": "x = 1\n"})
    done = await tree.push()
    assert done.status == 0, done.said
    assert "       Released v2" in done.remote


async def test_nothing_new_builds_nothing(world: World, tree: Checkout) -> None:
    await tree.push()
    done = await tree.push()
    assert "Everything up-to-date" in done.said
    assert len(world.operator.builds) == 1


async def test_what_was_pushed_can_be_cloned(tree: Checkout, tmp_path: Path) -> None:
    await tree.push()
    await tree.commit({"later.py": ""})
    await tree.push()
    await tree.must("clone", "-q", tree.remote, str(tmp_path / "clone"))
    assert (tmp_path / "clone" / "later.py").exists()


async def test_a_failed_build_moves_nothing(world: World, tree: Checkout) -> None:
    world.operator.script = fail
    done = await tree.push()

    assert done.status == 1
    build = world.operator.builds[0]["metadata"]["name"]
    assert done.remote[-10:] == [
        "",
        " !     Push rejected, failed to compile Python app.",
        "",
        " !     Push failed",
        "Verifying deploy...",
        "",
        "!\tPush rejected to hello.",
        "",
        " !     the compile step exited with 1",
        f" !     Log: haikube builds logs {build} --app hello",
    ]
    assert " ! [remote rejected] main -> main (pre-receive hook declined)" in done.said
    assert "!\tPush rejected to hello." in done.said
    key = next(key for key in world.storage.objects if key.endswith("refs.json"))
    manifest = parse(world.storage.objects[key])
    assert (manifest.refs, manifest.packs, manifest.lock) == ({}, (), None)
    assert not [key for key in world.storage.objects if "/packs/" in key]


async def test_a_push_speaks_of_an_app_by_the_name_it_was_given_last(
    world: World, tree: Checkout
) -> None:
    await world.cluster.patch(APPS, "hello", NAMESPACE, {"spec": {"name": "greeter"}})
    world.operator.script = fail
    done = await tree.push()

    build = world.operator.builds[0]["metadata"]["name"]
    assert "!\tPush rejected to greeter." in done.remote
    assert done.remote[-1] == f" !     Log: haikube builds logs {build} --app greeter"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_PATIENCE", 0.5)


@pytest.mark.usefixtures("impatient")
async def test_a_push_says_what_keeps_its_build_waiting(world: World, tree: Checkout) -> None:
    async def without_room(operator: Operator, build: Json) -> None:
        message = "the cluster refuses what this needs: exceeded quota: team"
        ready = {"type": "Ready", "status": "False", "reason": "QuotaExceeded", "message": message}
        await operator.status(build, conditions=[ready])
        await asyncio.sleep(3)  # the pulse of a silent log is a second
        await succeed(operator, build)

    world.operator.script = without_room
    done = await tree.push()

    assert done.status == 0, done.said
    told = " !     QuotaExceeded: the cluster refuses what this needs: exceeded quota: team"
    assert done.remote.count(told) == 1
    waiting = next(line for line in done.remote if line.startswith("Waiting for the cluster"))
    assert done.remote.index(waiting) == done.remote.index(told) - 1


ENDED = b"""\
 !     \x1b[2JNo default language could be detected for this app.

 !     Push failed
"""


async def fail_as_the_engine_does(operator: Operator, build: Json) -> None:
    log = await operator.start(build)
    log.put_nowait(ENDED)
    log.put_nowait(None)
    message = "No default language could\x1b]0;owned\x07 be detected; add\nrequirements.txt"
    failure = {"reason": "NoBuildpackMatches", "message": message}
    await operator.status(build, result="Failed", failure=failure)


async def test_what_a_build_has_said_is_not_said_again_and_nothing_acts_on_a_terminal(
    world: World, tree: Checkout
) -> None:
    world.operator.script = fail_as_the_engine_does
    done = await tree.push()

    build = world.operator.builds[0]["metadata"]["name"]
    assert done.remote[-10:] == [
        " !     [2JNo default language could be detected for this app.",
        "",
        " !     Push failed",
        "Verifying deploy...",
        "",
        "!\tPush rejected to hello.",
        "",
        " !     No default language could]0;owned be detected; add",
        " !     requirements.txt",
        f" !     Log: haikube builds logs {build} --app hello",
    ]
    assert "\x1b]" not in done.said
    assert "\x07" not in done.said


async def test_a_push_after_a_failed_one_builds_again(world: World, tree: Checkout) -> None:
    script, world.operator.script = world.operator.script, fail
    await tree.push()
    world.operator.script = script
    done = await tree.push()
    assert done.status == 0, done.said


async def test_a_large_push_comes_in_chunks(tree: Checkout) -> None:
    (tree.folder / "big.bin").write_bytes(hashlib.shake_128(b"seed").digest(3_000_000))
    await tree.commit({})
    done = await tree.push()
    assert done.status == 0, done.said


async def test_a_new_clone_of_an_unpushed_app_is_empty(world: World, tmp_path: Path) -> None:
    world.cluster.app("fresh")
    fresh = await checkout(tmp_path / "fresh", world.url, "fresh")
    done = await fresh.git("ls-remote", "heroku")
    assert (done.status, done.said) == (0, "")


@pytest.mark.parametrize(("result", "word"), [("Succeeded", "done"), ("Failed", "failed")])
async def test_a_release_command_is_shown_and_never_refuses_a_push(
    world: World, tree: Checkout, result: str, word: str
) -> None:
    world.operator.script = lambda operator, build: release_phase(operator, build, result)
    done = await tree.push()
    assert done.status == 0, done.said
    start = done.remote.index("-----> Launching...")
    declared = (
        " !     Release command declared: "
        "this new release will not be available until the command succeeds."
    )
    assert done.remote[start : start + 8] == [
        "-----> Launching...",
        declared,
        "       Released v1",
        "       http://hello.localhost:8080/ deployed to Haikube",
        "",
        "Running release command....",
        "migrating the database",
        f"Waiting for release.... {word}.",
    ]


async def test_a_push_says_why_its_release_command_does_not_run(
    world: World, tree: Checkout
) -> None:
    why = "no node for release.1: 0/1 nodes are available: 1 Insufficient memory."

    async def stuck(operator: Operator, build: Json) -> None:
        await release_phase(operator, build, None)
        told = {"type": "Ready", "status": "False", "reason": "Unschedulable", "message": why}
        body = {"status": {"conditions": [told]}}
        await operator.cluster.patch(RELEASES, "hello-v1", NAMESPACE, body, subresource="status")
        await asyncio.sleep(0.1)
        body = {"status": {"result": "Failed", "conditions": []}}
        await operator.cluster.patch(RELEASES, "hello-v1", NAMESPACE, body, subresource="status")

    world.operator.script = stuck
    done = await tree.push()
    assert done.status == 0, done.said
    assert done.remote.count(f" !     Unschedulable: {why}") == 1


async def test_a_failed_release_command_can_be_run_again(world: World, tree: Checkout) -> None:
    world.operator.script = lambda operator, build: release_phase(operator, build, "Failed")
    done = await tree.push()
    assert done.status == 0, done.said
    assert done.remote[-1] == " !     haikube releases retry v1 --app hello"


async def test_a_platform_may_let_such_a_push_fail(tmp_path: Path) -> None:
    async with running(Settings(public_port=8080, strict_release=True)) as world:
        world.cluster.app("hello")
        tree = await checkout(tmp_path / "hello", world.url)
        await tree.commit({"app.py": "x"})
        world.operator.script = lambda operator, build: release_phase(operator, build, "Failed")
        done = await tree.push()
        assert done.status == 1
        assert (
            " !     The commit is stored all the same: git reports it as rejected." in done.remote
        )
        assert "[remote rejected] main -> main" in done.said

        world.operator.script = lambda operator, build: release_phase(operator, build, "Succeeded")
        await tree.commit({})
        done = await tree.push()
        assert done.status == 0, done.said
