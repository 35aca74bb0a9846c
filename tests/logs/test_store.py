"""What is asked of the log store, what becomes of its answers, and the chronicle in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime

import pytest
from aiohttp import web

from haikube.cluster.port import Json
from haikube.logs.chronicle import Chronicle
from haikube.logs.gap import Gap
from haikube.logs.line import Line, Selection
from haikube.logs.store import Store, StoredLogs, StoreError
from haikube.model.resources import APPS, PODS, Resource
from logs.test_tail import APP, Sight, pod

T = "2026-01-01T00:00:{:02}Z".format
NAME = {
    "_time": T(0),
    "_msg": "name",
    "haikube.kind": "name",
    "haikube.pod": "uid-1",
    "haikube.dyno": "web.1",
    "haikube.address": "10.0.0.1",
    "haikube.since": "2026-01-01T00:00:00.000000000",
}


class Answers:
    """A store that answers what a test puts in, and remembers what it was asked."""

    def __init__(self) -> None:
        self.names: list[Json] = [NAME]
        self.lines: list[Json] = []
        self.per_query: dict[str, list[Json]] = {}
        """What queries that begin so find, instead of ``lines``."""
        self.asked: list[str] = []
        self.written: list[Json] = []
        self.status = 200

    async def query(self, request: web.Request) -> web.Response:
        query = str((await request.post())["query"])
        self.asked.append(query)
        found = self.names if 'kind="name"' in query and " or " not in query else self.lines
        found = next((v for k, v in self.per_query.items() if query.startswith(k)), found)
        text = "".join(json.dumps(each) + "\n" for each in found)
        return web.Response(text=text, status=self.status)

    async def insert(self, request: web.Request) -> web.Response:
        self.written += [json.loads(line) for line in (await request.text()).splitlines()]
        return web.Response(status=self.status)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
async def store(answers: Answers) -> AsyncIterator[Store]:
    app = web.Application()
    app.router.add_post("/select/logsql/query", answers.query)
    app.router.add_post("/insert/jsonline", answers.insert)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    client = Store(f"http://127.0.0.1:{runner.addresses[0][1]}", "haikube", "secret")
    yield client
    await client.close()
    await runner.cleanup()


def stored(store: Store) -> StoredLogs:
    return StoredLogs(
        store, lambda _: ["hello.localhost", 'x"y'], "haikube-gateway", "haikube-system"
    )


async def test_lines_of_dynos_requests_and_the_platform(answers: Answers, store: Store) -> None:
    answers.lines = [
        {"_time": T(3), "_msg": "x\rforged", "k8s.pod.uid": "uid-1"},
        {
            "_time": T(2),
            "_msg": "request",
            "RouterName": "httproute-team-hello-web",
            "ServiceAddr": "10.0.0.1:8080",
            "DownstreamStatus": "200",
            "OriginStatus": "200",
        },
        {
            "_time": T(1),
            "_msg": "Release v1 created",
            "haikube.kind": "line",
            "haikube.source": "app",
            "haikube.dyno": "api",
            "haikube.key": "r/1",
        },
    ]
    found = await stored(store).lines(APP, Selection(), 10)

    assert [(line.source, line.dyno, line.text.partition(" ")[0]) for line in found] == [
        ("app", "api", "Release"),
        ("heroku", "router", "at=info"),
        ("app", "web.1", "x"),
        ("app", "web.1", "forged"),
    ]
    assert "dyno=web.1" in found[1].text


@pytest.mark.parametrize(
    ("selection", "parts"),
    [
        (Selection(), {"line", "pod", "gateway"}),
        (Selection(source="app"), {"line", "pod"}),
        (Selection(source="heroku"), {"line", "gateway"}),
        (Selection(dyno="web"), {"line", "pod"}),
        (Selection(dyno="worker"), {"line"}),
        (Selection(dyno="router"), {"line", "gateway"}),
    ],
)
async def test_no_more_is_asked_for_than_is_wanted(
    answers: Answers, store: Store, selection: Selection, parts: set[str]
) -> None:
    await stored(store).lines(APP, selection, 10)
    marks = {"line": 'kind="line"', "pod": "k8s.pod.uid in", "gateway": "RequestHost:in"}
    assert {name for name, mark in marks.items() if mark in answers.asked[-1]} == parts


@pytest.mark.parametrize(
    ("inside", "later", "told"), [(True, True, True), (False, True, False), (False, False, None)]
)
async def test_the_store_tells_whether_a_pod_was_silent(
    answers: Answers,
    store: Store,
    *,
    inside: bool,
    later: bool,
    told: bool | None,
) -> None:
    gap = Gap("2026-01-01T00:00:02.000000001", "2026-01-01T00:00:09.000000000")
    line = {"_time": T(5), "_msg": "x", "k8s.pod.uid": "uid-1"}
    answers.per_query = {"_time:(": [line] * inside, "_time:>=": [line] * later}

    assert await stored(store).holds("uid-1", gap) is told
    assert answers.asked[0] == (
        "_time:(2026-01-01T00:00:02.000000001Z, 2026-01-01T00:00:09.000000000Z)"
        ' {k8s.pod.uid="uid-1"}'
    )
    answers.status = 500
    assert await stored(store).holds("uid-1", gap) is None


async def test_a_query_quotes_what_it_names(answers: Answers, store: Store) -> None:
    await stored(store).lines(APP, Selection(), 10)
    assert r'RequestHost:in("hello.localhost","x\"y")' in answers.asked[-1]
    assert 'haikube.app="app"' in answers.asked[-1]
    assert 'RouterName:~"^httproute-team-"' in answers.asked[-1]


def told(lines: list[Line]) -> list[str]:
    return [f"{line.source}[{line.dyno}]: {line.text}" for line in lines]


AWAY = ["heroku[logplex]: The log store does not answer: of dynos that are gone nothing is shown."]


async def test_a_store_that_is_away_says_so_in_one_line(answers: Answers, store: Store) -> None:
    answers.status = 503
    assert told(await stored(store).lines(APP, Selection(), 10)) == AWAY
    with pytest.raises(StoreError):
        await store.write([{"_msg": "x"}])
    nobody = Store("http://127.0.0.1:1", "haikube", "")
    assert told(await stored(nobody).lines(APP, Selection(source="app"), 10)) == AWAY
    await nobody.close()


class Everything(Sight):
    def all(self, resource: Resource, namespace: str | None = None) -> list[Json]:
        assert (resource, namespace) == (APPS, None)
        return [APP] if "app" in self.objects else []

    def of_app(self, resource: Resource, app: Json) -> list[Json]:
        return super().of_app(resource, app) if resource == PODS else []


def of_kind(records: Iterable[Mapping[str, str]], kind: str) -> list[str]:
    return [each["_msg"] for each in records if each["haikube.kind"] == kind]


async def test_the_chronicle_tells_each_thing_once(store: Store) -> None:
    sight = Everything()
    chronicle = Chronicle(sight, store, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    sight.put(pod("a", running=False))
    first = chronicle.look("")

    assert of_kind(first, "line") == ["Starting process with command `x`"]
    assert [each["haikube.dyno"] for each in first if each["haikube.kind"] == "name"] == ["web.1"]
    assert chronicle.look("") == []

    moved = pod("a", running=False)
    moved["metadata"]["resourceVersion"] = "2"
    moved["status"]["podIP"] = "10.0.0.9"
    sight.put(moved)
    (named,) = chronicle.look("")
    assert (named["haikube.kind"], named["haikube.address"]) == ("name", "10.0.0.9")


async def test_a_store_that_lost_its_disk_is_told_again_who_is_who(
    answers: Answers, store: Store
) -> None:
    sight = Everything()
    chronicle = Chronicle(sight, store, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    sight.put(pod("a", running=False))
    chronicle.look("")
    await chronicle._check_names()
    assert chronicle.look("") == []
    answers.names = []
    await chronicle._check_names()
    assert [each["haikube.dyno"] for each in chronicle.look("")] == ["web.1"]


async def test_what_was_told_before_a_start_is_not_told_again(store: Store) -> None:
    sight = Everything()
    chronicle = Chronicle(sight, store, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    sight.put(pod("a", running=False))

    assert of_kind(chronicle.look("2026-01-01T00:00:01"), "line") == []


async def test_an_app_that_is_gone_is_forgotten(store: Store) -> None:
    sight = Everything()
    chronicle = Chronicle(sight, store)
    chronicle.look("")
    sight.drop("app")
    assert chronicle.look("") == []
    assert chronicle._apps == {}
