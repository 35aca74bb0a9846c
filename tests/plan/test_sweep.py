"""Mark and sweep as a decision: the dead go, the living and the unknown stay."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikube.model.names import cache_key, runtime_key
from haikube.plan.sweep import Live, Mercy, Sweep, observe_live, plan_sweep
from haikube.storage.port import Stored

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OLD = NOW - timedelta(hours=2)
MERCY = Mercy(upload=3600, history=86_400, app=259_200, share=10)
LONG_AGO = "2025-01-01T00:00:00Z"
HELLO = "11111111-1111-1111-1111-111111111111"
GONE = "22222222-2222-2222-2222-222222222222"
BUILD = "33333333-3333-3333-3333-333333333333"


def stored(key: str, modified: datetime = OLD) -> Stored:
    return Stored(key, 1, modified, "etag")


def build(uid: str, result: str, created: str, app: str = HELLO) -> dict[str, Any]:
    return {
        "metadata": {
            "name": uid[:4],
            "uid": uid,
            "creationTimestamp": created,
            "ownerReferences": [{"kind": "App", "uid": app}],
        },
        "status": {"result": result},
    }


def planned(keys: list[Stored], live: Live, seen: dict[str, str] | None = None) -> Sweep:
    return plan_sweep(keys, live, seen or {}, now=NOW, mercy=MERCY)


def swept(keys: list[Stored], live: Live) -> list[str]:
    """Return what goes of keys that were all seen unused long ago."""
    owners = {key.key.split("/")[1] for key in keys if key.key.count("/") > 1}
    seen = dict.fromkeys([*(key.key for key in keys), *owners], LONG_AGO)
    return [item.key for item in planned(keys, live, seen).dead]


LIVE = Live(
    apps=frozenset({HELLO}),
    keys=frozenset({f"slugs/{HELLO}/{BUILD}.tar.zst"}),
    caches=frozenset({f"caches/{HELLO}/"}),
)


@pytest.mark.parametrize("area", ["sources", "slugs", "caches", "git", "logs"])
def test_everything_of_an_unknown_app_goes_after_days(area: str) -> None:
    key = stored(f"{area}/{GONE}/deep/x", NOW)
    first = planned([key], LIVE)
    early = planned([key], LIVE, {GONE: "2025-12-30T00:00:01Z"})
    late = planned([key], LIVE, {GONE: "2025-12-30T00:00:00Z"})

    assert (first.dead, first.seen) == ((), {GONE: "2026-01-02T00:00:00Z"})
    assert (early.dead, early.seen) == ((), {GONE: "2025-12-30T00:00:01Z"})
    assert (late.dead, late.seen) == ((key,), {})


def test_an_app_that_is_back_begins_anew() -> None:
    back = planned([stored(f"git/{HELLO}/x")], LIVE, {HELLO: LONG_AGO})
    assert (back.dead, back.seen) == ((), {})


@pytest.mark.parametrize("area", ["slugs", "logs"])
def test_a_slug_that_a_lost_release_had_waits_a_day(area: str) -> None:
    key = stored(f"{area}/{HELLO}/lost")
    first = planned([key], LIVE)
    early = planned([key], LIVE, {key.key: "2026-01-01T00:00:01Z"})
    late = planned([key], LIVE, {key.key: "2026-01-01T00:00:00Z"})

    assert (first.dead, set(first.seen)) == ((), {key.key})
    assert early.dead == ()
    assert late.dead == (key,)


@pytest.mark.parametrize(("apps", "first"), [(1, 1), (5, 1), (40, 4), (200, 20)])
def test_many_apps_that_vanish_at_once_go_share_by_share(apps: int, first: int) -> None:
    uids = [str(uuid.UUID(int=number)) for number in range(apps)]
    keys = [stored(f"{area}/{uid}/x") for uid in uids for area in ("git", "slugs")]
    nothing = Live(frozenset(), frozenset(), frozenset())
    found = planned(keys, nothing, dict.fromkeys(uids, LONG_AGO))

    assert len({item.key.split("/")[1] for item in found.dead}) == first
    assert len(found.dead) == 2 * first
    assert found.waiting == len(found.seen) == apps - first


def test_history_that_vanishes_at_once_goes_share_by_share() -> None:
    keys = [stored(f"slugs/{HELLO}/{number}.tar.zst") for number in range(1000)]
    found = planned(keys, LIVE, {item.key: LONG_AGO for item in keys})

    assert (len(found.dead), found.waiting) == (100, 900)


def test_an_app_read_back_under_another_uid_keeps_what_its_releases_name() -> None:
    release = {"spec": {"slug": {"key": f"slugs/{GONE}/{BUILD}.tar.zst"}}}
    live = observe_live([{"metadata": {"uid": HELLO}}], [], [release], [])
    keys = [stored(f"slugs/{GONE}/{BUILD}.tar.zst"), stored(f"git/{GONE}/refs.json")]

    assert swept(keys, live) == []


@pytest.mark.parametrize("spec", [{}, {"slug": None}, {"slug": {}}])
def test_a_release_without_a_slug_names_nothing(spec: dict[str, Any]) -> None:
    live = observe_live([{"metadata": {"uid": HELLO}}], [], [{"spec": spec}], [])
    assert live.apps == {HELLO}


@pytest.mark.parametrize("area", ["caches", "git"])
def test_a_living_app_keeps_its_cache_and_its_repository(area: str) -> None:
    assert swept([stored(f"{area}/{HELLO}/x")], LIVE) == []


@pytest.mark.parametrize("mark", ["", "monday", "tuesday"])
def test_a_cache_that_was_purged_goes_after_the_grace(mark: str) -> None:
    annotations = {"annotations": {"haikube.dev/build-cache": mark}} if mark else {}
    live = observe_live([{"metadata": {"uid": HELLO, **annotations}}], [], [], [])
    keys = {each: cache_key(HELLO, "debian-13", each) for each in ("", "monday", "tuesday")}
    fresh = [stored(key, NOW) for key in keys.values()]

    assert len(set(keys.values())) == 3
    assert swept(fresh, live) == []
    dead = [key for each, key in keys.items() if each != mark]
    assert swept([stored(key) for key in keys.values()], live) == dead


DIGESTS = [f"sha256:{number:016x}{0:048x}" for number in range(30)]


def runtime(number: int, stack: str = "debian-13", modified: datetime = OLD) -> Stored:
    return stored(runtime_key(stack, "ruby-3.4.7", DIGESTS[number]), modified)


def naming(*numbers: int) -> Live:
    """Return what lives where a Stack names these archives of one release."""
    entries = [
        {"language": "ruby", "version": "3.4.7", "digest": DIGESTS[number]} for number in numbers
    ]
    stack = {"metadata": {"name": "debian-13"}, "spec": {"runtimes": entries}}
    plain = {"metadata": {"name": "debian-12"}, "spec": {"runImage": "run:1"}}
    return observe_live([{"metadata": {"uid": HELLO}}], [], [], [plain, stack])


@pytest.mark.parametrize(
    ("since", "dead"),
    [("", False), ("2025-12-30T00:00:01Z", False), ("2025-12-30T00:00:00Z", True)],
    ids=["not seen before", "days not over", "days over"],
)
@pytest.mark.parametrize("stack", ["debian-13", "debian-14"], ids=["a stack", "no stack any more"])
def test_a_runtime_that_no_stack_names_goes_after_days(
    stack: str, since: str, *, dead: bool
) -> None:
    replaced, named = runtime(0, stack), runtime(1)
    found = planned([replaced, named], naming(1), {replaced.key: since} if since else {})

    assert found.dead == ((replaced,) if dead else ())
    assert set(found.seen) == (set() if dead else {replaced.key})


def test_a_runtime_that_is_named_again_begins_anew() -> None:
    found = planned([runtime(0)], naming(0), {runtime(0).key: LONG_AGO})
    assert (found.dead, found.seen) == ((), {})


def test_a_runtime_that_was_stored_just_now_is_waited_for() -> None:
    fresh = runtime(0, modified=NOW - timedelta(seconds=3600))
    found = planned([fresh], naming(), {fresh.key: LONG_AGO})
    assert (found.dead, found.seen) == ((), {})


@pytest.mark.parametrize(("count", "first"), [(1, 1), (9, 1), (30, 3)])
def test_runtimes_that_vanish_at_once_go_share_by_share(count: int, first: int) -> None:
    keys = [runtime(number) for number in range(count)]
    slugs = [stored(f"slugs/{HELLO}/{number}.tar.zst") for number in range(1000)]
    found = planned([*keys, *slugs], naming(), {item.key: LONG_AGO for item in keys})

    assert len(found.dead) == first
    assert found.waiting == count - first


@pytest.mark.parametrize(
    "key",
    [
        "runtimes/debian-13/ruby-3.4.7.tar.zst",
        "runtimes/debian-13/README",
        "runtimes/ruby-3.4.7-0000000000000000.tar.zst",
        "runtimes/debian-13/old/ruby-3.4.7-0000000000000000.tar.zst",
    ],
)
def test_what_nobody_stored_among_the_runtimes_stays(key: str) -> None:
    found = planned([stored(key)], naming(), {key: LONG_AGO, "debian-13": LONG_AGO})
    assert (found.dead, found.seen) == ((), {})


def test_sources_that_no_build_refers_to_go_after_the_grace() -> None:
    keys = [stored(f"sources/{HELLO}/old"), stored(f"sources/{HELLO}/fresh", NOW)]
    assert swept(keys, LIVE) == [f"sources/{HELLO}/old"]


def test_a_running_build_keeps_its_source_and_a_remembered_one_its_log() -> None:
    running = build(BUILD, "Running", "2026-01-01T00:00:00Z")
    running["spec"] = {"source": {"archive": {"key": f"sources/{HELLO}/a.tar.gz"}}}
    ended = build(GONE, "Failed", "2026-01-02T00:00:00Z")
    ended["spec"] = {"source": {"archive": {"key": f"sources/{HELLO}/b.tar.gz"}}}
    live = observe_live([{"metadata": {"uid": HELLO}}], [running, ended], [], [])
    keys = [
        stored(f"sources/{HELLO}/a.tar.gz"),
        stored(f"sources/{HELLO}/b.tar.gz"),
        stored(f"logs/{HELLO}/{BUILD}.log"),
        stored(f"logs/{HELLO}/{GONE}.log"),
    ]
    assert swept(keys, live) == [f"sources/{HELLO}/b.tar.gz"]


@pytest.mark.parametrize(
    ("name", "modified", "dead"),
    [
        (f"{BUILD}.tar.zst", OLD, False),
        ("other.tar.zst", OLD, True),
        ("other.json", OLD, True),
    ],
)
def test_slugs_nobody_refers_to_go_after_the_grace(
    name: str, modified: datetime, *, dead: bool
) -> None:
    key = stored(f"slugs/{HELLO}/{name}", modified)
    assert swept([key], LIVE) == ([key.key] if dead else [])


def test_an_upload_that_no_build_named_goes_after_the_grace() -> None:
    keys = [stored("sources/pending/a.tar.gz"), stored("sources/pending/b.tar.gz", NOW)]
    assert swept(keys, LIVE) == ["sources/pending/a.tar.gz"]


@given(st.text(max_size=80))
def test_what_is_not_understood_stays(key: str) -> None:
    assert swept([stored(key)], LIVE) == []


@given(
    area=st.sampled_from(["sources", "slugs", "caches", "git", "logs", "other"]),
    uid=st.uuids().map(str),
    rest=st.text("abc./-", max_size=20),
    lives=st.booleans(),
)
def test_what_no_build_refers_to_and_bytes_of_dead_apps_go(
    area: str, uid: str, rest: str, *, lives: bool
) -> None:
    live = Live(frozenset({uid} if lives else ()), frozenset(), frozenset({f"caches/{uid}/"}))
    gone = swept([stored(f"{area}/{uid}/{rest}")], live)
    per_build = area in {"slugs", "sources", "logs"}
    assert bool(gone) == (area != "other" and (not lives or per_build))


def test_slugs_of_releases_running_and_newest_builds_live() -> None:
    running, newest, old, released = (str(uuid.UUID(int=number)) for number in range(1, 5))
    builds = [
        build(old, "Succeeded", "2026-01-01T00:00:00Z"),
        build(running, "Running", "2026-01-01T00:01:00Z"),
        build(newest, "Failed", "2026-01-01T00:02:00Z"),
    ]
    release = {"spec": {"slug": {"key": f"slugs/{HELLO}/{released}.tar.zst"}}}
    live = observe_live([{"metadata": {"uid": HELLO}}], builds, [release], [])

    keys = [
        stored(f"slugs/{HELLO}/{uid}{suffix}")
        for uid in (running, newest, old, released)
        for suffix in (".tar.zst", ".json")
    ]
    assert swept(keys, live) == [f"slugs/{HELLO}/{old}.tar.zst", f"slugs/{HELLO}/{old}.json"]


def test_a_build_that_has_no_status_yet_is_running() -> None:
    fresh = build(BUILD, "Pending", "2026-01-01T00:00:00Z")
    later = build(GONE, "Failed", "2026-01-02T00:00:00Z")
    del fresh["status"]
    live = observe_live([{"metadata": {"uid": HELLO}}], [fresh, later], [], [])
    assert f"slugs/{HELLO}/{BUILD}.tar.zst" in live.keys
