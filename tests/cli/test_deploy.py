"""``haikube deploy``: a folder becomes a release, and the end of it is told as a push tells it."""

from __future__ import annotations

import io

import pytest

from haikube.cli.builds import deploy_archive
from haikube.cli.platform import Platform
from world import World, fail, release_phase


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what a person sees, without the log of the platform that runs here as well."""
    lines = capsys.readouterr().out.splitlines()
    return [line for line in lines if "[info     ]" not in line]


async def test_a_deploy_ends_like_a_push(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    build = await deploy_archive(platform, "hello", io.BytesIO(b"x"), "v1")
    assert build["status"] == "succeeded"
    assert printed(capsys) == [
        "-----> Building on the Debian-13 stack",
        "-----> Python app detected",
        "-----> Launching...",
        "       Released v1",
        "       http://hello.localhost:8080/ deployed to Haikube",
        "",
        "Verifying deploy... done.",
    ]


async def test_a_release_command_is_shown_and_its_failure_is_one(
    world: World, platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    world.operator.script = lambda operator, build: release_phase(operator, build, "Failed")
    build = await deploy_archive(platform, "hello", io.BytesIO(b"x"), "")
    said = printed(capsys)
    assert build["released"] == "failed"
    assert said[said.index("Running release command....") + 1] == "migrating the database"
    assert said[-1] == " !     haikube releases retry v1 --app hello"


async def test_a_failed_build_has_nothing_to_launch(
    world: World, platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    world.operator.script = fail
    build = await deploy_archive(platform, "hello", io.BytesIO(b"x"), "")
    assert (build["status"], build["released"]) == ("failed", None)
    assert "-----> Launching..." not in printed(capsys)
