"""A source that an App declares: built once, and what comes of it."""

from __future__ import annotations

import builders as b
from plan.apps import FIRST, LATER, SERVING
from stage import plan

GIT = {"git": {"url": "https://example.com/hello.git", "ref": "v1"}}


async def test_a_declared_source_is_built_once_per_declaration() -> None:
    first = await plan(b.app(source=GIT), b.config(), *FIRST)
    (words,) = first.writes
    name = words.removeprefix("create Build ")
    other = await plan(b.app(source={"git": {**GIT["git"], "ref": "v2"}}), b.config(), *FIRST)
    running = b.build(name, status={"result": "Running"})
    again = await plan(b.app(source=GIT), b.config(), *FIRST, running)

    assert name.startswith("hello-b-")
    assert first.body(words)["spec"] == {
        "appRef": {"name": "hello"},
        "source": GIT,
        "stack": "debian-13",
        "description": "Deploy v1",
    }
    assert other.writes != first.writes
    assert again.writes == []
    assert again.condition() == ("Unknown", "Building")


async def test_a_blob_and_its_buildpacks_are_declared_too() -> None:
    blob = {"blob": {"url": "https://example.com/x.tgz", "checksum": b.DIGEST}}
    app = b.app(source=blob, buildpacks=[{"name": "heroku/python"}], stack="debian-12")
    row = await plan(app, b.config())
    spec = row.body(row.writes[0])["spec"]

    assert spec["description"] == "Deploy sha256:abababab"
    assert (spec["stack"], spec["buildpacks"]) == ("debian-12", [{"name": "heroku/python"}])


async def test_declaring_an_earlier_source_again_releases_its_slug_again() -> None:
    first = await plan(b.app(source=GIT), b.config())
    name = first.writes[0].removeprefix("create Build ")
    digest = {"haikube.dev/source-digest": name.rsplit("-", 1)[1]}
    mine = b.build(name, status=b.succeeded(), metadata={"annotations": digest})
    others = [
        b.release(1, buildRef={"name": name}, metadata={"annotations": digest}),
        b.release(2, metadata={"annotations": {"haikube.dev/source-digest": "other"}}),
        b.snapshot(2),
    ]
    row = await plan(b.app(source=GIT), b.config(), mine, *others)

    assert row.body("create Release hello-v3")["spec"]["buildRef"] == {"name": name}


async def test_a_declared_source_that_fails_stalls_the_app_though_it_serves() -> None:
    first = await plan(b.app(source=GIT), b.config())
    name = first.writes[0].removeprefix("create Build ")
    row = await plan(b.app(source=GIT), b.config(), b.build(name, status=b.failed()), *SERVING)

    assert row.condition() == ("False", "CompileFailed")
    assert f"delete build {name}" in row.message()


async def test_a_declared_source_whose_release_fails_stalls_the_app_though_it_serves() -> None:
    first = await plan(b.app(source=GIT), b.config())
    name = first.writes[0].removeprefix("create Build ")
    status = {**b.succeeded(), "release": {"name": "hello-v2", "version": 2}}
    failed = b.release(
        2,
        buildRef={"name": name},
        status={**b.failed("ReleaseCommandFailed", "exit 1"), "observedGeneration": 1},
    )
    build = b.build(name, status=status)
    row = await plan(b.app(source=GIT), b.config(), *SERVING, build, failed, b.snapshot(2))

    assert row.condition() == ("False", "ReleaseCommandFailed")
    assert "v2 of the declared source" in row.message()


async def test_a_pushed_build_that_fails_leaves_the_app_ready_and_says_so() -> None:
    bad = b.build("b2", status=b.failed(), metadata={"creationTimestamp": LATER})
    row = await plan(b.app(), b.config(), *SERVING, bad)

    assert row.condition() == ("True", "Serving")
    assert "b2: repair it" in row.message()
    assert row.condition("BuildSucceeded") == ("False", "CompileFailed")
    assert row.status["latestBuild"] == {"name": "b2", "result": "Failed"}
