"""``haikube runtimes remove``: an entry of the Stack goes, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from click.testing import CliRunner, Result

from haikube.cli import runtimes as command
from haikube.cli.made import NotMade, built_with, rewrite, without
from haikube.cluster.errors import Conflict, NotFound
from haikube.cluster.fake import Call, FakeCluster
from haikube.model.resources import BUILDS, STACKS

RUBY = {"language": "ruby", "version": "3.4.7", "digest": "sha256:" + "a" * 64}
OLDER = {"language": "ruby", "version": "3.4.6", "digest": "sha256:" + "b" * 64}
PHP = {"language": "php", "version": "8.3.1", "digest": "sha256:" + "c" * 64}


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    spec = {"runImage": "run:1", "runtimes": [RUBY, OLDER, PHP]}
    made.seed(STACKS, {"metadata": {"name": "debian-13"}, "spec": spec})
    made.seed(STACKS, {"metadata": {"name": "debian-14"}, "spec": {"runImage": "run:2"}})
    return made


@pytest.fixture
def remove(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return the command, which asks the cluster in memory."""

    def ask(_: str, question: Callable[[FakeCluster], Coroutine[Any, Any, Any]], made: str) -> Any:
        assert made == "Runtimes"
        return asyncio.run(question(cluster))

    monkeypatch.setattr(command, "ask_cluster", ask)
    return lambda *words, **more: CliRunner().invoke(command.runtimes, ["remove", *words], **more)


def made_for(cluster: FakeCluster, stack: str = "debian-13") -> list[Any]:
    found = asyncio.run(cluster.get(STACKS, stack))["spec"]
    assert found["runImage"]
    return list(found.get("runtimes") or ())


def build(cluster: FakeCluster, app: str, created: str, *packs: str, stack: str) -> None:
    cluster.seed(
        BUILDS,
        {
            "metadata": {
                "name": f"{app}-{created}",
                "namespace": "a",
                "creationTimestamp": created,
            },
            "spec": {"appRef": {"name": app}},
            "status": {"stack": stack, "buildpacks": [f"heroku/{each}" for each in packs]},
        },
    )


def test_an_entry_goes_after_its_version_was_typed(
    cluster: FakeCluster, remove: Callable[..., Result]
) -> None:
    said = remove("ruby", "3.4.7", input="3.4.7\n")

    assert said.exit_code == 0, said.output
    assert "This takes ruby 3.4.7 from every build on debian-13; what runs keeps it." in said.output
    assert "haikube runtimes add ruby 3.4.7" in said.output
    assert "The newest build of no app on debian-13 ran ruby." in said.output
    assert said.output.endswith("ruby 3.4.7 is no longer there for builds on debian-13.\n")
    assert made_for(cluster) == [OLDER, PHP]


def test_confirm_skips_the_question_and_the_last_one_leaves_an_empty_table(
    cluster: FakeCluster, remove: Callable[..., Result]
) -> None:
    for language, version in (("php", "8.3.1"), ("ruby", "3.4.6"), ("ruby", "3.4.7")):
        assert remove(language, version, "--confirm", version).exit_code == 0
    assert made_for(cluster) == []


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        (("ruby", "3.4.7"), "y\n", "'y' is not '3.4.7': nothing was removed."),
        (
            ("ruby", "3.4.7", "--confirm", "3.4.6"),
            "",
            "'3.4.6' is not '3.4.7': nothing was removed",
        ),
        (("ruby", "3.4.7"), "", "Aborted!"),
        (
            ("ruby", "3.4"),
            "",
            "ruby 3.4 was not made for debian-13: nothing is removed. Made for it: ruby 3.4.7, r",
        ),
        (
            ("php", "3.4.7", "--stack", "debian-14"),
            "",
            "php 3.4.7 was not made for debian-14: nothing is removed. Made for it: nothing.",
        ),
        (("ruby", "3.4.7", "--stack", "debian"), "", "Is debian a stack of the platform?"),
        (("node", "22.1.0"), "", "'node' is not one of 'php', 'ruby'"),
    ],
)
def test_what_is_not_confirmed_or_not_there_changes_nothing(
    cluster: FakeCluster,
    remove: Callable[..., Result],
    words: tuple[str, ...],
    typed: str,
    says: str,
) -> None:
    said = remove(*words, input=typed)

    assert said.exit_code != 0
    assert says in said.output
    assert made_for(cluster) == [RUBY, OLDER, PHP]
    assert not cluster.writes


def test_apps_that_build_with_the_language_are_named(
    cluster: FakeCluster, remove: Callable[..., Result]
) -> None:
    build(cluster, "shop", "2026-01-01T00:00:00Z", "nodejs", "ruby", stack="debian-13")
    build(cluster, "moved", "2026-01-01T00:00:00Z", "ruby", stack="debian-13")
    build(cluster, "moved", "2026-01-02T00:00:00Z", "python", stack="debian-13")
    build(cluster, "elsewhere", "2026-01-01T00:00:00Z", "ruby", stack="debian-14")

    said = remove("ruby", "3.4.7", "--confirm", "3.4.7")
    assert "Apps on debian-13 built with ruby: a/shop.\n" in said.output
    assert asyncio.run(built_with(cluster, "debian-14", "ruby")) == ["a/elsewhere"]


def test_of_many_apps_ten_are_named() -> None:
    said = command.warning("php", "8.3.1", "debian-13", [f"a/app{number}" for number in range(12)])
    assert said.endswith("a/app8, a/app9 and 2 more.")


async def test_what_others_made_meanwhile_stays(cluster: FakeCluster) -> None:
    newer = {"language": "php", "version": "8.3.2", "digest": "sha256:" + "d" * 64}
    entries = [RUBY, OLDER, PHP, newer]
    other = {"metadata": {"name": "debian-13"}, "spec": {"runImage": "run:1", "runtimes": entries}}
    waiting = [other]

    def others(call: Call) -> None:
        if call.verb == "patch" and waiting:
            cluster.seed(STACKS, waiting.pop())

    cluster.fault = others
    await rewrite(cluster, "debian-13", lambda made: without(made, "ruby", "3.4.7", "debian-13"))

    assert (await cluster.get(STACKS, "debian-13"))["spec"]["runtimes"] == [OLDER, PHP, newer]


async def test_a_stack_that_never_rests_is_given_up(cluster: FakeCluster) -> None:
    def others(call: Call) -> None:
        if call.verb == "patch":
            raise Conflict(409, "Conflict", "modified")

    cluster.fault = others
    with pytest.raises(NotMade, match="stack debian-13 is changed by others all the time"):
        await rewrite(cluster, "debian-13", list)
    with pytest.raises(NotFound):
        await rewrite(cluster, "debian", list)
