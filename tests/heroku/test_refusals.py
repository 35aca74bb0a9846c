"""What the CLI prints when the platform refuses: the words hold the value and the remedy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haikube.cluster.errors import ApiError, Forbidden, Unreachable
from haikube.cluster.fake import Call
from haikube.cluster.port import Json
from haikube.model.resources import APPS, DYNOS, SECRETS, Resource
from heroku.refusing import Terminal, terminal
from heroku.steps import Printed, holds
from world import NAMESPACE, USER

QUOTA = (
    '{kind}.haikube.dev "x" is forbidden: exceeded quota: haikube, requested: '
    "count/{kind}.haikube.dev=1, used: count/{kind}.haikube.dev=50, "
    "limited: count/{kind}.haikube.dev=50"
)


@pytest.fixture
async def ada(tmp_path: Path) -> AsyncIterator[Terminal]:
    async with terminal(tmp_path) as found:
        await app(found, "hello", NAMESPACE)
        yield found


async def app(ada: Terminal, name: str, namespace: str, deployed: bool = True) -> Json:  # noqa: FBT001, FBT002 - a test's table
    metadata = {"name": name, "namespace": namespace}
    made = ada.world.cluster.seed(
        APPS, {"apiVersion": APPS.api_version, "kind": "App", "metadata": metadata, "spec": {}}
    )
    obj = await ada.world.cluster.get(APPS, name, namespace)
    if deployed:
        await ada.world.ledger.deploy(obj, {"web": "npm start", "queue": "node queue.js"})
    del made
    return obj


def refuse(ada: Terminal, verb: str, resource: Resource, error: ApiError) -> None:
    def fault(call: Call) -> None:
        if (call.verb, call.resource) == (verb, resource):
            raise error

    ada.world.cluster.fault = fault


def expect(said: Printed, words: str, code: int = 2) -> None:
    assert holds(said.err, words), said
    assert said.code == code, said


async def test_an_ambiguous_name_lists_the_apps_and_a_full_one_is_taken(ada: Terminal) -> None:
    await app(ada, "twin", NAMESPACE)
    await app(ada, "twin", "team-b")
    ada.world.cluster.namespaces[USER].add("team-b")

    said = await ada.heroku("ps", "-a", "twin")
    expect(said, "Several apps are named twin. Name one of: twin.team-a, twin.team-b")
    expect(said, "Error ID: multiple_matches")
    found = await ada.heroku("maintenance", "-a", "twin.team-b")
    assert (found.code, found.out.strip()) == (0, "off")


@pytest.mark.parametrize("command", ["apps:info", "config", "ps:restart", "releases"])
async def test_the_app_of_another_team_is_not_there(ada: Terminal, command: str) -> None:
    await app(ada, "theirs", "team-b")

    said = await ada.heroku(command, "-a", "theirs")
    expect(said, "Couldn't find that app. theirs was not found.")


async def test_its_name_is_taken_all_the_same(ada: Terminal) -> None:
    await app(ada, "theirs", "team-b")

    expect(await ada.heroku("create", "theirs"), "Name theirs is already taken")


async def test_a_full_quota_of_apps_says_how_many_there_are(ada: Terminal) -> None:
    refuse(ada, "create", APPS, Forbidden(403, "Forbidden", QUOTA.format(kind="apps")))

    said = await ada.heroku("create", "one-more", "--team", NAMESPACE)
    expect(said, "The team's quota is full: apps 50 of 50. Delete some that nobody needs")


async def test_a_full_quota_of_dynos_says_so_to_who_runs_one(ada: Terminal) -> None:
    refuse(ada, "create", DYNOS, Forbidden(403, "Forbidden", QUOTA.format(kind="dynos")))

    said = await ada.heroku("run:detached", "-a", "hello", "ls")
    expect(said, "The team's quota is full: dynos 50 of 50.")


async def test_a_storage_that_is_away_is_named(ada: Terminal) -> None:
    ada.world.storage.down = "the storage does not answer"

    hook = ("-i", "api:release", "-l", "notify", "-u", "https://example.com/x")
    for words in (("webhooks",), ("webhooks:add", *hook), ("webhooks:deliveries",)):
        said = await ada.heroku(*words, "-a", "hello")
        expect(said, "the storage does not answer. Nothing was changed; try again.")


async def test_a_cluster_that_does_not_answer_is_named(ada: Terminal) -> None:
    refuse(ada, "create", SECRETS, Unreachable(0, "Unreachable", "connection refused"))

    said = await ada.heroku("config:set", "A=b", "-a", "hello")
    expect(said, "Kubernetes did not answer: connection refused")


async def test_a_token_that_is_over_is_told_in_the_clis_words(ada: Terminal) -> None:
    said = await ada.heroku("apps", token="over")

    expect(said, "The token provided to HEROKU_API_KEY is invalid", 1)


async def test_a_wrong_confirmation_deletes_nothing(ada: Terminal) -> None:
    said = await ada.heroku("apps:destroy", "-a", "hello", "--confirm", "hallo")

    expect(said, "Confirmation hallo did not match hello. Aborted.", 1)
    assert (await ada.heroku("apps:info", "-a", "hello")).code == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("config:set A=b", "may not"),
        ("ps:scale web=2", "may not"),
        ("maintenance:on", "may not"),
        ("ps:restart", "may not"),
        ("domains:add www.example.com", "may not"),
        ("apps:destroy --confirm hello", "may not"),
    ],
)
async def test_who_only_looks_is_told_what_they_may_not(
    ada: Terminal, command: str, words: str
) -> None:
    ada.world.cluster.viewers.add(USER)

    expect(await ada.heroku(*command.split(), "-a", "hello"), words)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ps:scale web=1 web=2", "web is named more than once"),
        ("ps:scale web=1 queue=1001", "queue cannot have 1001 dynos"),
        ("ps:scale web-9", "web cannot have -8 dynos"),
        ("ps:scale nothing=1", "Couldn't find that process type (nothing). It has web, queue."),
        ("rollback v9", "Couldn't find that release"),
        ("domains:add nonsense", "is not a host name like www.example.com"),
        ("apps:rename Hello_World", "Name"),
        ("stack:set windows", "'windows' is not there. Choose one of: debian-13"),
        ("drains:add ftp://x", "https, syslog+tls"),
    ],
)
async def test_nonsense_is_refused_by_its_name(ada: Terminal, command: str, words: str) -> None:
    expect(await ada.heroku(*command.split(), "-a", "hello"), words)


async def test_nothing_is_scaled_when_one_wish_is_not_possible(ada: Terminal) -> None:
    await ada.heroku("ps:scale", "queue=2", "web=1", "web=2", "-a", "hello")

    said = await ada.heroku("ps:scale", "-a", "hello")
    assert said.out.strip() == "queue=0:Basic web=1:Basic"
