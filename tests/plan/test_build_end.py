"""How a build ends: what is believed of its pod, its result and the storage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import builders as b
from haikube.storage.memory import MemoryStorage
from plan.buildpods import EVICTED, OK, RESULT_KEY, broken, cut, pod, running, urls
from stage import plan


async def test_a_build_that_filled_its_disk_is_not_tried_again() -> None:
    """The kubelet stops the pod, so the engine itself believes that it was stopped from outside."""
    stopped = b.ended(143, broken("Canceled", "The build was stopped"))
    first = await plan(b.build(), *running(), pod(state=stopped, status=EVICTED))

    assert first.status["failure"]["reason"] == "DiskFull"
    assert "HAIKUBE_BUILD_DISK" in first.status["failure"]["message"]
    assert first.writes == []

    recorded = b.build(status=dict(first.status))
    second = await plan(recorded, *running(), pod(state=stopped, status=EVICTED))
    assert second.writes == ["delete Job b1"]

    over = await plan(recorded, *running(("Failed", "BackoffLimitExceeded")))
    assert over.writes == ["delete Secret b1-urls"]


async def test_a_build_that_a_full_node_evicts_is_tried_again() -> None:
    low = "The node was low on resource: ephemeral-storage. Container build was using 1Gi"
    stopped = b.ended(143, broken("Canceled", "The build was stopped"))
    evicted = pod(state=stopped, status={**EVICTED, "message": low})
    row = await plan(b.build(), *running(), evicted)

    assert row.status["result"] == "Running"
    assert "failure" not in row.status


async def test_a_full_disk_is_known_although_the_engine_left_another_result() -> None:
    storage = MemoryStorage()
    await storage.put(RESULT_KEY, broken("Canceled").encode())
    pods = pod(state=b.ended(137), status=EVICTED)
    row = await plan(b.build(), *running(("Failed", "PodFailurePolicy")), pods, storage=storage)

    assert row.status["failure"]["reason"] == "DiskFull"


async def test_a_successful_build_records_its_slug_and_times() -> None:
    row = await plan(b.build(), *running(), pod(state=b.ended(0, OK)))

    assert row.status["result"] == "Succeeded"
    assert row.status["slug"] == {
        "key": "slugs/uid-app-hello/uid-build-b1.tar.zst",
        "digest": b.DIGEST,
        "sizeBytes": 7,
        "processTypes": [{"name": "web", "command": "python app.py"}],
    }
    assert (row.status["language"], row.status["duration"]) == ("Python", "40s")
    assert row.status["finishedAt"] == "2026-01-01T00:00:40Z"
    assert row.condition("SourceReady") == ("True", "SourceFetched")
    assert row.condition("SlugStored") == ("True", "BuildSucceeded")
    assert [each.reason for each in row.plan.events] == ["BuildSucceeded"]


async def test_a_result_is_believed_before_the_pod_ends() -> None:
    """The kubelet publishes readiness at once, the end of a container a second later."""
    storage = MemoryStorage()
    await storage.put(RESULT_KEY, OK.encode())
    ready = pod(state=b.RUNNING, ready=True)
    row = await plan(b.build(), *running(), ready, storage=storage)

    assert row.status["result"] == "Succeeded"
    assert row.status["duration"] == "1h0m"
    assert row.status["finishedAt"] == "2026-01-01T01:00:00Z"


async def test_a_pod_that_is_ready_without_a_result_goes_on() -> None:
    row = await plan(b.build(), *running(), pod(state=b.RUNNING, ready=True))

    assert row.status["result"] == "Running"
    assert row.condition() == ("Unknown", "BuildRunning")


@pytest.mark.parametrize(
    ("seconds", "writes", "again"), [(0, [], 30.0), (29, [], 1.0), (30, ["delete Job b1"], None)]
)
async def test_the_pod_of_a_finished_build_has_to_end(
    seconds: int, writes: list[str], again: float | None
) -> None:
    recorded = b.build(status=b.succeeded(finished="2026-01-01T01:00:00Z"))
    now = datetime(2026, 1, 1, 1, 0, seconds, tzinfo=UTC)
    row = await plan(recorded, *running(), pod(state=b.RUNNING), now=now)

    assert (row.writes, row.plan.requeue_after) == (writes, again)


async def test_a_failed_compile_is_final_at_once_with_its_reason() -> None:
    row = await plan(b.build(), *running(), pod(state=b.ended(1, broken())))

    assert row.status["result"] == "Failed"
    assert row.status["failure"]["reason"] == "CompileFailed"
    assert row.condition("Succeeded") == ("False", "CompileFailed")
    assert row.condition("Stalled") == ("True", "CompileFailed")


async def test_a_source_that_cannot_be_fetched_shows_in_its_own_condition() -> None:
    text = broken("SourceUnavailable", "404; check the URL")
    row = await plan(b.build(), *running(), pod(state=b.ended(1, text)))

    assert row.condition("SourceReady") == ("False", "SourceUnavailable")


@pytest.mark.parametrize(
    ("state", "job", "status", "reason"),
    [
        (b.ended(137, reason="OOMKilled"), [], {}, "BuildOutOfMemory"),
        (b.ended(137), [("Failed", "DeadlineExceeded")], {}, "BuildTimedOut"),
        (b.ended(0, "{"), [], {}, "BuildResultInvalid"),
        (b.ended(1, '{"ok": false, "reason": "Nonsense"}'), [], {}, "BuildResultInvalid"),
        (b.ended(75, broken("StorageUnavailable")), [("Failed", "X")], {}, "StorageUnavailable"),
        (b.ended(143, broken("Canceled")), [("Failed", "X")], {}, "BuildLost"),
        (b.ended(2), [("Failed", "BackoffLimitExceeded")], {}, "BuildLost"),
        (None, [("Complete", "")], {"phase": "Succeeded"}, "BuildResultMissing"),
        (
            None,
            [("Failed", "PodFailurePolicy")],
            {"reason": "Evicted", "message": "ephemeral-storage exceeds"},
            "DiskFull",
        ),
    ],
)
async def test_how_a_build_is_broken_off(
    state: b.Raw | None, job: list[tuple[str, str]], status: b.Raw, reason: str
) -> None:
    row = await plan(b.build(), *running(*job), pod(state=state, status=status))

    assert row.status["result"] == "Failed"
    assert row.condition("Succeeded") == ("False", reason)
    assert row.status["failure"]["message"]


async def test_a_job_that_is_seen_to_end_before_its_pod_is_waited_for() -> None:
    row = await plan(b.build(), *running(("Complete", "")), pod(state=b.RUNNING))

    assert row.status["result"] == "Running"


@pytest.mark.parametrize("key", ["sources/uid-app-other/x", "sources/uid-app-hello/../other/x"])
async def test_the_source_of_another_app_is_never_signed(key: str) -> None:
    source = {"archive": {**b.archive()["archive"], "key": key}}
    row = await plan(b.build(source=source), b.app(), b.stack())

    assert row.writes == []
    assert (row.status["result"], row.condition()) == ("Failed", ("False", "SourceInvalid"))


async def test_a_lost_first_pod_is_not_the_end() -> None:
    row = await plan(b.build(), *running(), pod(state=b.ended(75, broken("StorageUnavailable"))))

    assert row.status["result"] == "Running"


async def test_a_result_that_was_cut_short_is_read_from_the_storage() -> None:
    storage = MemoryStorage()
    await storage.put(RESULT_KEY, OK.encode())
    row = await plan(b.build(), *running(), pod(state=b.ended(0, cut())), storage=storage)

    assert row.status["result"] == "Succeeded"
    assert row.status["slug"]["processTypes"][0]["name"] == "web"


async def test_a_cut_result_that_is_nowhere_fails_the_build() -> None:
    row = await plan(b.build(), *running(), pod(state=b.ended(0, cut())))

    assert row.condition("Succeeded") == ("False", "BuildResultMissing")


async def test_storage_down_is_waited_for() -> None:
    storage = MemoryStorage()
    storage.down = "connection refused"
    row = await plan(b.build(), *running(), pod(state=b.ended(0, cut())), storage=storage)

    assert row.condition() == ("Unknown", "StorageUnavailable")
    assert row.plan.requeue_after == 5.0


async def test_a_build_whose_job_is_gone_is_found_in_the_storage() -> None:
    storage = MemoryStorage()
    await storage.put(RESULT_KEY, OK.encode())
    build = b.build(status={"result": "Running", "startedAt": b.CREATED})
    row = await plan(build, b.app(), b.stack(), storage=storage)

    assert row.status["result"] == "Succeeded"
    assert row.status["startedAt"] == b.CREATED


async def test_a_build_whose_job_was_deleted_midway_is_run_again() -> None:
    build = b.build(status={"result": "Running", "startedAt": b.CREATED})
    row = await plan(build, b.app(), b.stack(), urls())

    assert row.writes == ["create Job b1"]


async def test_cancelling_deletes_the_job() -> None:
    row = await plan(b.build(cancel=True), *running(), pod(state=b.RUNNING))

    assert row.writes == ["delete Job b1"]
    assert row.status["result"] == "Canceled"
    assert row.condition("Succeeded") == ("False", "Canceled")


async def test_a_finished_build_stays_as_it_is_recorded() -> None:
    row = await plan(b.build(status=b.succeeded(), cancel=True), b.app(), b.stack())

    assert row.writes == []
    assert row.status["result"] == "Succeeded"
    assert row.status["slug"] == b.slug()


async def test_a_finished_build_learns_its_release() -> None:
    release = b.release(4, buildRef={"name": "b1"})
    row = await plan(b.build(status=b.succeeded()), b.app(), release)

    assert row.status["release"] == {"name": "hello-v4", "version": 4}


async def test_a_build_that_is_being_deleted_is_left_alone() -> None:
    row = await plan(b.build(metadata={"deletionTimestamp": b.CREATED}), b.app(), b.stack())

    assert (row.plan.writes, row.plan.status) == ((), None)


async def test_the_urls_outlive_both_attempts_of_the_job() -> None:
    row = await plan(b.build(), b.app(), b.stack(), now=datetime(2026, 1, 1, tzinfo=UTC))
    notes = row.body("create Secret b1-urls")["metadata"]["annotations"]

    assert notes["haikube.dev/expires-at"] == "2026-01-01T00:41:00Z"
