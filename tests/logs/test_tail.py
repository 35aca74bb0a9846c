"""A reader's view of an app: history, then what comes, over restarts, breaks and new dynos."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from haikube.cluster.errors import Forbidden, NotFound, Unreachable
from haikube.cluster.fake import FakeCluster
from haikube.cluster.port import Json
from haikube.logs.follow import Pace
from haikube.logs.gap import Gap
from haikube.logs.line import Line, Selection
from haikube.logs.position import Position
from haikube.logs.tail import History, Tail, merged
from haikube.model.resources import APPS, Resource
from haikube.model.times import format_time

T = TypeVar("T")
APP: Json = {"metadata": {"name": "hello", "namespace": "team", "uid": "app"}, "kind": "App"}
SOON = 5.0
OVERFLOW = (
    "Error L11 (Tail buffer overflow) -> This tail session dropped messages of web.1 "
    "since 2026-01-01T00:00:02.000000+00:00."
)


class Sight:
    """What is known of one app, as a test sets it."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {"app": APP}
        self._turn = asyncio.Event()

    def put(self, obj: Json) -> None:
        self.objects[obj["metadata"]["uid"]] = obj
        self._wake()

    def drop(self, uid: str) -> None:
        del self.objects[uid]
        self._wake()

    def _wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    def of_app(self, resource: Resource, app: Json) -> list[Json]:
        assert app is APP
        return [obj for obj in self.objects.values() if obj["kind"] == resource.kind]

    def by_uid(self, resource: Resource, uid: str) -> Json | None:
        assert resource == APPS
        return self.objects.get(uid)

    async def until(self, check: Callable[[], T | None], seconds: float) -> T | None:
        try:
            async with asyncio.timeout(seconds):
                while (found := check()) is None:
                    await self._turn.wait()
                return found
        except TimeoutError:
            return None


class Kubelet(FakeCluster):
    """Logs of pods as lists of lines, followed while a test adds to them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, list[bytes]] = {}
        self.running: set[str] = set()
        self.cut: set[str] = set()
        self.short: dict[str, bytes] = {}
        """What a stream ends with that breaks off as if it were complete."""
        self.newest: dict[str, int] = {}
        """The first line of a pod's newest file, which is all that is given without following."""
        self.gone: set[str] = set()
        """Pods whose log only who follows it already still gets."""
        self.refuses = False
        self.silent: set[str] = set()

    def print(self, pod: str, second: int, *texts: bytes) -> None:
        stamp = f"2026-01-01T00:00:{second:02}.000000000Z ".encode()
        self.lines.setdefault(pod, []).extend(stamp + text + b"\n" for text in texts)

    def _found(self, name: str, *, previous: bool) -> str:
        """Return whose lines are asked for."""
        if self.refuses:
            raise Forbidden(403, "Forbidden", name)
        if previous and f"{name} previous" in self.lines:
            return f"{name} previous"
        if name not in self.lines:
            raise NotFound(404, "NotFound", name)
        return name

    async def pod_log(self, name: str, namespace: str, **how: Any) -> AsyncIterator[bytes]:
        assert namespace == "team"
        if name in self.gone and not how.get("follow"):
            raise NotFound(404, "NotFound", name)
        name = self._found(name, previous=bool(how.get("previous")))
        if name in self.silent:
            await asyncio.Event().wait()
        since = how.get("since") or ""
        at = 0 if how.get("follow") else self.newest.get(name, 0)
        if (tail := how.get("tail")) is not None:
            at = max(0, len(self.lines[name]) - tail)
        while True:
            while at < len(self.lines[name]):
                line = self.lines[name][at]
                at += 1
                if line[:19].decode() >= since[:19]:
                    yield line
            if name in self.cut:
                self.cut.discard(name)
                raise Unreachable(0, "Unreachable", "cut")
            if how.get("follow") and name in self.short:
                yield self.short.pop(name)
                return
            if not how.get("follow") or name not in self.running:
                return
            await asyncio.sleep(0.001)


def pod(name: str, dyno: str = "web.1", *, instance: str = "c1", running: bool = True) -> Json:
    state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}} if running else {}
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "team",
            "uid": name,
            "resourceVersion": instance,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"haikube.dev/component": "dyno"},
            "annotations": {"haikube.dev/dyno": dyno},
        },
        "spec": {"containers": [{"args": ["x"], "env": []}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [{"containerID": instance, "state": state}],
        },
    }


class Stage:
    def __init__(self) -> None:
        self.sight = Sight()
        self.kubelet = Kubelet()

    def run(self, name: str, dyno: str = "web.1", **how: Any) -> None:
        self.kubelet.running.add(name)
        self.kubelet.lines.setdefault(name, [])
        self.sight.put(pod(name, dyno, **how))

    def end(self, name: str, dyno: str) -> None:
        self.kubelet.running.discard(name)
        ended = pod(name, dyno, running=False)
        ended["status"]["phase"] = "Succeeded"
        ended["status"]["containerStatuses"][0]["state"] = {"terminated": {"exitCode": 0}}
        self.sight.put(ended)

    def tail(self, selection: Selection | None = None, history: History | None = None) -> Tail:
        pace = Pace(retry=0.001, look=0.01, read=0.1)
        chosen = selection or Selection(source="app")
        return Tail(self.kubelet, self.sight, APP, chosen, pace=pace, history=history)

    def flood(self, name: str) -> None:
        """Have a dyno print more than a file, and then nothing for seconds."""
        for _ in range(1000):
            self.kubelet.print(name, 1, b"x" * 9000)
        self.kubelet.print(name, 2, b"the last of the flood")


@pytest.fixture
def stage() -> Stage:
    return Stage()


def texts(lines: list[Line]) -> list[str]:
    return [f"{line.dyno} {line.text}" for line in lines]


async def read(live: AsyncIterator[list[Line]], count: int) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(SOON):
        async for lines in live:
            found += texts(lines)
            if len(found) >= count:
                break
    return found


async def test_the_past_of_several_dynos_is_in_order_and_cut(stage: Stage) -> None:
    stage.run("a", "web.1")
    stage.run("b", "web.2")
    stage.kubelet.print("a", 1, b"one")
    stage.kubelet.print("b", 2, b"two")
    stage.kubelet.print("a", 3, b"three")
    stage.kubelet.running.clear()

    assert texts(await stage.tail().past(100)) == ["web.1 one", "web.2 two", "web.1 three"]
    assert texts(await stage.tail().past(2)) == ["web.2 two", "web.1 three"]
    assert texts(await stage.tail(Selection(dyno="web.2", source="app")).past(9)) == ["web.2 two"]


async def test_a_node_that_does_not_answer_holds_up_nobody_elses_lines(stage: Stage) -> None:
    stage.run("a", "web.1")
    stage.run("b", "web.2")
    stage.kubelet.print("b", 2, b"two")
    stage.kubelet.running.clear()
    stage.kubelet.silent.add("a")

    assert texts(await stage.tail().past(100)) == [
        "web.2 two",
        "logplex The node of web.1 does not answer: what it printed last is not shown.",
    ]


async def test_what_comes_follows_what_was_without_gap_or_repeat(stage: Stage) -> None:
    stage.run("a")
    stage.kubelet.print("a", 1, b"old 1", b"old 2")
    tail = stage.tail()
    assert texts(await tail.past(100)) == ["web.1 old 1", "web.1 old 2"]
    stage.kubelet.print("a", 1, b"same second")
    live = tail.live(SOON)
    assert await read(live, 1) == ["web.1 same second"]
    stage.kubelet.print("a", 2, b"new")
    assert await read(live, 1) == ["web.1 new"]


async def test_a_restart_a_break_and_a_new_dyno_lose_nothing(stage: Stage) -> None:
    stage.run("a")
    tail = stage.tail()
    live = tail.live(SOON)
    stage.kubelet.print("a", 1, b"first")
    assert await read(live, 1) == ["web.1 first"]

    stage.kubelet.cut.add("a")
    stage.kubelet.print("a", 2, b"after a break")
    assert await read(live, 1) == ["web.1 after a break"]

    stage.kubelet.running.clear()
    await asyncio.sleep(0.02)
    stage.kubelet.print("a", 3, b"after a restart")
    stage.run("a", instance="c2")
    assert await read(live, 1) == ["web.1 after a restart"]

    stage.run("b", "worker.1")
    stage.kubelet.print("b", 4, b"a new one")
    assert await read(live, 1) == ["worker.1 a new one"]


async def test_a_stream_that_ends_early_is_opened_again(stage: Stage) -> None:
    """A kubelet that rotates a fast log ends the stream as if it were complete."""
    stage.run("a")
    live = stage.tail().live(SOON)
    stage.kubelet.print("a", 1, b"one")
    assert await read(live, 1) == ["web.1 one"]
    stage.kubelet.running.clear()
    await asyncio.sleep(0.02)
    stage.kubelet.print("a", 2, b"two")
    assert await read(live, 1) == ["web.1 two"]


@pytest.mark.parametrize(
    "end",
    [
        b"",
        b"failed to create fsnotify watcher: too many open files",
        b"2026-01-01T00:00:02.000000000Z the second, cut o",
        b"2026-01-01T00:00:0",
    ],
)
async def test_a_stream_that_breaks_off_loses_nothing_of_a_dyno_that_ends(
    stage: Stage, end: bytes
) -> None:
    """A kubelet that can watch no more files, or that is cut off, says so in the text at most."""
    live = stage.tail().live(SOON)
    stage.kubelet.print("a", 1, b"first")
    stage.kubelet.short["a"] = end
    stage.run("a", "run.1")
    assert await read(live, 1) == ["run.1 first"]

    stage.kubelet.print("a", 2, b"the second, cut off", b"last")
    stage.end("a", "run.1")
    assert await read(live, 2) == ["run.1 the second, cut off", "run.1 last"]


async def test_a_dyno_that_is_over_before_anybody_looks_is_shown_whole(stage: Stage) -> None:
    live = stage.tail().live(SOON)
    stage.kubelet.print("a", 1, b"first", b"last")
    stage.kubelet.short["a"] = b"failed to create fsnotify watcher: too many open files"
    stage.end("a", "run.1")
    assert await read(live, 2) == ["run.1 first", "run.1 last"]


async def test_a_stream_that_breaks_off_loses_nothing_of_a_container_that_made_room(
    stage: Stage,
) -> None:
    live = stage.tail().live(SOON)
    stage.kubelet.print("a", 1, b"first")
    stage.kubelet.short["a"] = b""
    stage.run("a")
    assert await read(live, 1) == ["web.1 first"]

    stage.kubelet.print("a previous", 1, b"first", b"last words")
    stage.kubelet.lines["a"] = []
    stage.kubelet.print("a", 2, b"anew")
    stage.run("a", instance="c2")
    assert await read(live, 2) == ["web.1 last words", "web.1 anew"]


async def test_a_refusal_ends_the_tail_instead_of_leaving_a_dyno_out(stage: Stage) -> None:
    live = stage.tail().live(SOON)
    stage.run("a")
    stage.kubelet.refuses = True
    with pytest.raises(Forbidden):
        await read(live, 1)


async def test_it_ends_with_its_app(stage: Stage) -> None:
    stage.run("a")
    live = stage.tail().live(0.01)
    assert await anext(live) == []
    stage.sight.drop("app")
    async with asyncio.timeout(SOON):
        assert [lines async for lines in live if lines] == []


async def test_a_reader_that_stalls_stops_the_kubelet_and_nobody_else(stage: Stage) -> None:
    stage.run("a")
    slow, quick = stage.tail().live(SOON), stage.tail().live(SOON)
    for number in range(50):
        stage.kubelet.print("a", number, b"x")
    await read(slow, 1)
    assert len(await read(quick, 50)) == 50


async def test_who_comes_back_goes_on_however_much_was_printed(stage: Stage) -> None:
    stage.run("a", "web.1")
    stage.run("b", "web.2")
    stage.kubelet.print("a", 10, b"seen", b"seen too")
    stage.kubelet.print("b", 8, b"older, and late")
    position = Position()
    position.advance([Line("2026-01-01T00:00:10.000000000", "app", "web.1", "seen")] * 2)
    stage.kubelet.print("a", 10, b"same time")
    stage.kubelet.print("a", 11, *[b"more"] * 5000)

    tail = stage.tail()
    assert await tail.since(Position.parse(str(position))) == []
    found = await read(tail.live(SOON), 5002)
    assert sorted(set(found)) == ["web.1 more", "web.1 same time", "web.2 older, and late"]
    assert len(found) == 5002


async def test_who_comes_back_gets_what_a_container_printed_before_it_started_anew(
    stage: Stage,
) -> None:
    stage.run("a", instance="c2")
    stage.sight.objects["a"]["status"]["containerStatuses"][0]["restartCount"] = 1
    stage.kubelet.print("a", 1, b"seen")
    position = Position()
    position.advance([Line("2026-01-01T00:00:01.000000000", "app", "web.1", "seen")])
    stage.kubelet.print("a", 2, b"last words")
    assert texts(await stage.tail().since(position)) == ["web.1 last words"]


MAYBE = OVERFLOW.replace("dropped", "may have dropped")


@pytest.mark.parametrize(("newest", "told"), [(900, []), (1001, [MAYBE])])
async def test_a_late_reader_is_told_what_may_be_left_out_but_not_of_silence(
    stage: Stage, newest: int, told: list[str]
) -> None:
    stage.run("a")
    stage.kubelet.newest["a"] = newest
    stage.flood("a")
    stage.kubelet.print("a", 9, b"after it")

    found = await read(stage.tail().live(SOON), 1002 + len(told))
    assert [each for each in found if "x" * 9000 not in each] == [
        "web.1 the last of the flood",
        *(f"logplex {line}" for line in told),
        "web.1 after it",
    ]


class Remembers:
    """A log store that can tell of a gap only when it is asked for the second time."""

    def __init__(self, *, held: bool) -> None:
        self.answers: list[bool | None] = [None, held]
        self.asked: list[tuple[str, Gap]] = []

    async def lines(self, *_: object, **__: object) -> list[Line]:
        return []

    async def holds(self, pod: str, gap: Gap) -> bool | None:
        self.asked.append((pod, gap))
        return self.answers[len(self.asked) - 1]


@pytest.mark.parametrize(
    ("history", "told"),
    [
        (Remembers(held=False), []),
        (Remembers(held=True), [OVERFLOW]),
        (None, [MAYBE]),
    ],
)
@pytest.mark.parametrize("gone", [True, False])
async def test_the_store_knows_whether_a_dyno_was_silent_of_which_the_kubelet_cannot_tell(
    stage: Stage, history: Remembers | None, told: list[str], *, gone: bool
) -> None:
    """One that was run and removed, or that scaling down took away, or whose log began anew."""
    if history:
        history.asked.clear()
    stage.run("a")
    if gone:
        stage.kubelet.gone.add("a")
    else:
        stage.kubelet.newest["a"] = 1001
    stage.flood("a")
    stage.kubelet.print("a", 9, b"after it")

    found = await read(stage.tail(history=history).live(SOON), 1002 + len(told))
    assert found[1001:] == [*(f"logplex {line}" for line in told), "web.1 after it"]
    if history:
        assert history.asked == [("a", Gap(_second(2), _second(9)))] * 2


def _second(number: int) -> str:
    return f"2026-01-01T00:00:{number:02}.000000000"


async def test_what_a_container_printed_before_it_started_anew_is_asked_for_too(
    stage: Stage,
) -> None:
    """A reader who is late learns of the silence of a container that is over by then."""
    stage.run("a")
    stage.flood("a")
    live = stage.tail().live(SOON)
    assert (await read(live, 1001))[-1] == "web.1 the last of the flood"
    stage.kubelet.print("a", 9, b"after it")
    stage.kubelet.lines["a previous"] = list(stage.kubelet.lines["a"])
    stage.kubelet.newest["a"] = len(stage.kubelet.lines["a"])
    assert await read(live, 1) == ["web.1 after it"]


async def test_the_time_between_two_containers_is_no_gap(stage: Stage) -> None:
    """A dyno that prints much and crashes, again and again."""
    stage.run("a")
    stage.flood("a")
    live = stage.tail().live(SOON)
    assert (await read(live, 1001))[-1] == "web.1 the last of the flood"
    stage.kubelet.lines["a previous"] = stage.kubelet.lines["a"]
    stage.kubelet.lines["a"] = []
    stage.kubelet.running.clear()
    await asyncio.sleep(0.02)
    stage.kubelet.print("a", 30, b"anew")
    stage.run("a", instance="c2")
    assert await read(live, 1) == ["web.1 anew"]


async def test_a_dyno_between_two_starts_is_read_once(stage: Stage) -> None:
    """The kubelet answers with the same container whether it is asked for this or the last."""
    stage.kubelet.print("a", 1, b"seen")
    stage.kubelet.print("a", 2, b"not found")
    between = pod("a", running=False)
    between["status"]["containerStatuses"][0] |= {
        "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    }
    stage.sight.put(between)
    assert texts(await stage.tail().past(10)) == ["web.1 seen", "web.1 not found"]

    position = Position()
    position.advance([Line("2026-01-01T00:00:01.000000000", "app", "web.1", "seen")])
    tail = stage.tail()
    assert texts(await tail.since(position)) == ["web.1 not found"]
    live = tail.live(0.05)
    assert [await anext(live) for _ in range(3)] == [[], [], []]


async def test_the_past_has_what_a_container_printed_before_it_started_anew(stage: Stage) -> None:
    stage.run("a", instance="c2")
    stage.sight.objects["a"]["status"]["containerStatuses"][0]["restartCount"] = 1
    stage.kubelet.running.clear()
    stage.kubelet.print("a previous", 1, b"last words")
    assert texts(await stage.tail().past(10)) == ["web.1 last words"]
    stage.kubelet.print("a", 2, b"anew")
    assert texts(await stage.tail().past(10)) == ["web.1 last words", "web.1 anew"]


async def test_a_dyno_speaks_and_is_told_of_once_it_has_its_name(stage: Stage) -> None:
    nameless = pod("a", instance="c1")
    del nameless["metadata"]["annotations"]
    nameless["metadata"]["creationTimestamp"] = format_time(datetime.now(UTC))
    stage.kubelet.running.add("a")
    stage.kubelet.print("a", 59, b"early")
    stage.sight.put(nameless)
    live = stage.tail(Selection()).live(0.05)
    assert await anext(live) == []
    nameless["metadata"] |= {"annotations": {"haikube.dev/dyno": "web.1"}, "resourceVersion": "2"}
    stage.sight.put(nameless)
    assert set(await read(live, 2)) >= {"web.1 early", "web.1 Starting process with command `x`"}


async def test_what_the_platform_tells_is_part_of_it(stage: Stage) -> None:
    tail = stage.tail(Selection())
    stage.run("a", running=False)
    past = await tail.past(10)
    assert texts(past) == ["web.1 Starting process with command `x`"]
    live = tail.live(SOON)
    ended = pod("a", instance="c1", running=False)
    ended["metadata"]["resourceVersion"] = "2"
    ended["status"]["containerStatuses"][0]["state"] = {
        "terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:00:01Z"}
    }
    stage.sight.put(ended)
    assert await read(live, 2) == [
        "web.1 Process exited with status 1",
        "web.1 State changed from starting to crashed",
    ]


def test_two_sources_of_one_line_give_it_once() -> None:
    line = Line("2026-01-01T00:00:01.000000000", "app", "web.1", "same")
    told = Line("2026-01-01T00:00:02.000000000", "app", "api", "Scaled", "f1/2")
    late = told._replace(time="2026-01-01T00:00:02.500000000")

    assert merged(([line, line], [line, told], [late])) == [line, line, told]


def test_of_two_who_tell_the_same_the_one_who_knows_more_is_believed() -> None:
    line = Line("2026-01-01T00:00:01.000000000", "heroku", "router", "dyno= status=200", "r1")
    knows = line._replace(text="dyno=web.1 status=200")
    assert merged(([line], [knows])) == merged(([knows], [line])) == [knows]
