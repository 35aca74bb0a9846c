"""Releases: the order of the ledger, the release phase, slug URLs and rollbacks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import builders as b
from stage import plan

WITH_PHASE = {"web": "python app.py", "release": "python migrate.py"}
PENDING = {"result": None}


def whole(version: int = 1, **changes: str) -> list[b.Raw]:
    """Return everything a release needs: app, stack, snapshot and slug URL."""
    return [b.app(), b.stack(), b.snapshot(version, {"A": "1"}), b.slug_url(version, **changes)]


def phase_job(*conditions: tuple[str, str]) -> b.Raw:
    return b.job("hello-v1-release", ("Release", "hello-v1"), *conditions)


def phase_pod(**extra: object) -> b.Raw:
    return b.pod("x", owner=("Job", "hello-v1-release"), **extra)  # type: ignore[arg-type]  # rows vary


async def test_a_new_release_first_gets_its_slug_url() -> None:
    row = await plan(b.release(**PENDING), b.app(), b.stack(), b.snapshot())
    secret = row.write("create Secret hello-v1-slug")

    assert row.writes == ["create Secret hello-v1-slug"]
    assert secret.presigned["url"].key == "slugs/uid-app-hello/b"
    assert secret.body["stringData"] == {"digest": b.DIGEST}
    assert row.condition() == ("True", "Released")  # written after the Secret, or not at all


async def test_without_release_phase_it_is_complete_at_once() -> None:
    row = await plan(b.release(**PENDING), *whole())

    assert row.writes == []
    assert (row.status["result"], row.status["current"]) == ("Succeeded", True)
    assert row.condition("Succeeded") == ("True", "Released")
    assert [each.reason for each in row.plan.events] == ["Released"]


async def test_its_snapshot_must_exist() -> None:
    row = await plan(b.release(**PENDING), b.app(), b.stack(), b.slug_url())

    assert row.condition() == ("False", "SnapshotMissing")
    assert row.status["result"] == "Pending"


async def test_the_release_phase_runs_once_as_a_job() -> None:
    row = await plan(b.release(types=WITH_PHASE, **PENDING), *whole())
    spec = row.body("create Job hello-v1-release")["spec"]

    assert row.writes == ["create Job hello-v1-release"]
    assert spec["backoffLimit"] == 0
    assert spec["template"]["spec"]["containers"][0]["args"] == ["python migrate.py"]
    assert row.condition() == ("Unknown", "ReleaseCommandRunning")


async def test_a_running_phase_is_waited_for() -> None:
    row = await plan(
        b.release(types=WITH_PHASE, **PENDING), *whole(), phase_job(), phase_pod(state=b.RUNNING)
    )

    assert row.writes == []
    assert row.status["phaseJobName"] == "hello-v1-release"


@pytest.mark.parametrize(
    ("state", "job", "reason"),
    [
        (b.ended(3), [], "ReleaseCommandFailed"),
        (b.ended(137, reason="OOMKilled"), [], "ReleaseCommandFailed"),
        (None, [("Failed", "DeadlineExceeded")], "ReleaseTimedOut"),
        (None, [("Failed", "BackoffLimitExceeded")], "ReleasePodLost"),
    ],
)
async def test_a_failed_phase_fails_the_release_for_good(
    state: b.Raw | None, job: list[tuple[str, str]], reason: str
) -> None:
    row = await plan(
        b.release(types=WITH_PHASE, **PENDING), *whole(), phase_job(*job), phase_pod(state=state)
    )

    assert (row.status["result"], row.status["current"]) == ("Failed", False)
    assert row.condition("Succeeded") == ("False", reason)


async def test_a_phase_whose_job_vanished_is_never_run_twice() -> None:
    release = b.release(types=WITH_PHASE, result=None, status={"phaseJobName": "hello-v1-release"})
    row = await plan(release, *whole())

    assert row.writes == []
    assert row.condition("Succeeded") == ("False", "ReleasePodLost")


@pytest.mark.parametrize(
    ("state", "job"), [(b.ended(0), []), (None, [("Complete", "")])], ids=["pod", "job"]
)
async def test_a_good_phase_completes_the_release(
    state: b.Raw | None, job: list[tuple[str, str]]
) -> None:
    row = await plan(
        b.release(types=WITH_PHASE, **PENDING), *whole(), phase_job(*job), phase_pod(state=state)
    )

    assert row.status["result"] == "Succeeded"


async def test_a_recorded_end_is_believed_without_job() -> None:
    good = await plan(b.release(types=WITH_PHASE), *whole())
    bad = await plan(
        b.release(types=WITH_PHASE, result=None, status=b.failed("ReleaseCommandFailed")), *whole()
    )

    assert (good.writes, good.status["result"]) == ([], "Succeeded")
    assert (bad.writes, bad.status["result"]) == ([], "Failed")
    assert bad.condition() == ("False", "ReleaseCommandFailed")


async def test_releases_of_an_app_are_worked_off_in_order() -> None:
    row = await plan(b.release(2, types=WITH_PHASE, **PENDING), *whole(2), b.release(1, **PENDING))

    assert row.writes == []
    assert row.condition() == ("Unknown", "WaitingForRelease")


async def test_a_stalled_release_holds_nobody_up() -> None:
    stuck = b.release(1, result=None, status={**b.failed("SnapshotMissing"), "result": "Pending"})
    row = await plan(b.release(2, types=WITH_PHASE, **PENDING), *whole(2), stuck)

    assert row.writes == ["create Job hello-v2-release"]


async def test_only_the_highest_success_is_current() -> None:
    old = await plan(b.release(1), *whole(), b.release(2))
    failed = await plan(b.release(1), *whole(), b.release(2, result="Failed"))

    assert old.status["current"] is False
    assert failed.status["current"] is True


async def test_a_slug_url_is_renewed_at_half_of_its_life() -> None:
    half = await plan(b.release(), *whole(), now=datetime(2026, 1, 4, 12, tzinfo=UTC))
    before = await plan(b.release(), *whole(), now=datetime(2026, 1, 4, 11, tzinfo=UTC))

    assert half.writes == ["create Secret hello-v1-slug"]
    assert half.write("create Secret hello-v1-slug").renew
    assert (before.writes, before.plan.requeue_after) == ([], 3600.0)


async def test_an_old_slug_url_is_renewed_only_while_a_dyno_uses_it() -> None:
    late = datetime(2026, 1, 7, tzinfo=UTC)
    dyno = b.pod("p", marks=b.dyno_marks(1))
    unused = await plan(b.release(1), *whole(), b.release(2), now=late)
    used = await plan(b.release(1), *whole(), b.release(2), dyno, now=late)

    assert (unused.writes, unused.plan.requeue_after) == ([], None)
    assert used.writes == ["create Secret hello-v1-slug"]


async def test_a_rollback_copies_the_old_snapshot_and_notes_the_config_it_left() -> None:
    row = await plan(
        b.release(3, rollbackOf=1, **PENDING),
        b.app(),
        b.stack(),
        b.config({"A": "3"}),
        b.release(1),
        b.snapshot(1, {"A": "1"}),
    )
    body = row.body("create Secret hello-v3")

    assert body["data"] == b.encoded({"A": "1"})
    assert body["immutable"] is True
    assert body["metadata"]["annotations"]["haikube.dev/config-seen"]
    assert row.writes == ["create Secret hello-v3", "create Secret hello-v3-slug"]
    assert row.condition() == ("True", "Released")


async def test_the_stack_of_a_phase_must_exist() -> None:
    parts = [each for each in whole() if each["kind"] != "Stack"]
    row = await plan(b.release(types=WITH_PHASE, **PENDING), *parts)

    assert row.condition() == ("False", "StackNotFound")


async def test_the_slug_of_another_app_is_never_signed() -> None:
    release = b.release(**PENDING)
    release["spec"]["slug"]["key"] = "slugs/uid-app-other/b"
    row = await plan(release, b.app(), b.stack(), b.snapshot())

    assert row.writes == []
    assert (row.status["result"], row.condition()) == ("Failed", ("False", "SlugNotOwned"))


async def test_a_release_without_slug_says_so() -> None:
    release = b.release(**PENDING)
    release["spec"]["slug"] = {}
    row = await plan(release, *whole())

    assert row.condition() == ("False", "SlugMissing")


async def test_without_its_app_a_release_is_left_to_the_garbage_collector() -> None:
    row = await plan(b.release(**PENDING), b.stack())

    assert (row.plan.writes, row.plan.status) == ((), None)
