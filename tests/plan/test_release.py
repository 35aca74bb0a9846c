"""Releases: the order of the ledger, the release phase, slug URLs and rollbacks."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

import builders as b
from stage import plan

WITH_PHASE = {"web": "python app.py", "release": "python migrate.py"}
PENDING = {"result": None}
FAILED_PHASE = b.failed("ReleaseCommandFailed")


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
    assert row.condition() == ("Unknown", "PreparingRelease")  # until the Secret is seen to exist


async def test_without_release_phase_it_is_complete_at_once() -> None:
    row = await plan(b.release(**PENDING), *whole())

    assert row.writes == []
    assert (row.status["result"], row.status["current"]) == ("Succeeded", True)
    assert row.condition("Succeeded") == ("True", "Released")
    assert row.plan.events == ()


@pytest.mark.parametrize("overtaken", [False, True])
async def test_at_its_end_it_is_looked_at_again_for_what_it_no_longer_needs(
    *, overtaken: bool
) -> None:
    later = [b.release(2), b.snapshot(2), b.slug_url(2)] if overtaken else []
    row = await plan(b.release(**PENDING), *whole(), *later)

    assert row.status["result"] == "Succeeded"
    assert (row.plan.requeue_after == 0.0) == overtaken
    after = await plan(b.release(result="Succeeded"), *whole(), *later)
    assert after.writes == (["delete Secret hello-v1-slug"] if overtaken else [])


async def test_the_end_of_a_release_has_the_one_before_looked_at_again() -> None:
    """That one is current until then, in the very pass that says otherwise."""
    row = await plan(b.release(2, **PENDING), *whole(2), b.release(1, result="Succeeded"))

    assert row.status["result"] == "Succeeded"
    assert row.plan.requeue_after == 0.0


async def test_the_end_of_the_release_before_the_first_code_asks_for_no_second_look() -> None:
    first = b.release(**PENDING)
    del first["spec"]["slug"]
    later = [b.release(2), b.snapshot(2), b.slug_url(2)]
    row = await plan(first, b.app(), b.stack(), b.config(), b.snapshot(), *later)

    assert row.status["result"] == "Succeeded"
    assert row.plan.requeue_after is None


async def test_its_snapshot_must_exist() -> None:
    row = await plan(b.release(**PENDING), b.app(), b.stack(), b.slug_url())

    assert row.writes == []
    assert row.condition() == ("False", "SnapshotMissing")
    assert row.status["result"] == "Pending"


async def test_its_snapshot_is_made_from_the_config_and_belongs_to_it() -> None:
    row = await plan(b.release(**PENDING), b.app(), b.stack(), b.slug_url(), b.config({"A": "1"}))
    write = row.write("create Secret hello-v1")

    assert row.writes == ["create Secret hello-v1"]
    assert (write.copied.source.name, write.copied.keys) == ("hello-config", ("A",))
    assert write.body["metadata"]["ownerReferences"][0]["kind"] == "Release"
    assert write.body["immutable"] is True
    assert row.condition() == ("Unknown", "PreparingRelease")


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
    assert (bad.writes, bad.status["result"]) == (["delete Secret hello-v1-slug"], "Failed")
    assert bad.condition() == ("False", "ReleaseCommandFailed")


async def test_releases_of_an_app_are_worked_off_in_order() -> None:
    first = (b.release(1, types=WITH_PHASE, **PENDING), b.snapshot(1), b.slug_url(1))
    row = await plan(b.release(2, types=WITH_PHASE, **PENDING), *whole(2), *first)

    assert row.writes == []
    assert row.condition() == ("Unknown", "WaitingForRelease")
    assert "kubectl annotate --overwrite release hello-v1 haikube.dev/stop=" in row.message()


async def test_a_stalled_release_holds_nobody_up() -> None:
    stuck = b.release(1, result=None, status={**b.failed("SnapshotMissing"), "result": "Pending"})
    row = await plan(b.release(2, types=WITH_PHASE, **PENDING), *whole(2), stuck)

    assert row.writes == ["create Job hello-v2-release"]


async def test_only_the_highest_success_is_current() -> None:
    old = await plan(b.release(1), *whole(), b.release(2))
    failed = await plan(b.release(1), *whole(), b.release(2, result="Failed"))

    assert old.status["current"] is False
    assert failed.status["current"] is True


async def test_a_success_is_not_current_when_the_same_pass_ends_a_later_one() -> None:
    ready = (b.app(), b.stack(), b.snapshot(1), b.slug_url(1), b.snapshot(2), b.slug_url(2))
    old = await plan(b.release(1, **PENDING), b.release(2, **PENDING), *ready)
    new = await plan(b.release(2, **PENDING), b.release(1, **PENDING), *ready)

    assert (old.status["result"], old.status["current"]) == ("Succeeded", False)
    assert (new.status["result"], new.status["current"]) == ("Succeeded", True)


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

    assert (unused.writes, unused.plan.requeue_after) == (["delete Secret hello-v1-slug"], None)
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
    write = row.write("create Secret hello-v3")

    assert (write.copied.source.name, write.copied.keys) == ("hello-v1", ("A",))
    assert write.body["immutable"] is True
    assert write.body["metadata"]["annotations"]["haikube.dev/config-seen"]
    assert row.writes == ["create Secret hello-v3", "create Secret hello-v3-slug"]
    assert row.condition() == ("Unknown", "PreparingRelease")


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


async def test_a_release_without_slug_is_complete_with_its_config() -> None:
    row = await plan(b.initial(result=None), b.app(), b.snapshot(1))

    assert row.writes == []
    assert row.condition() == ("True", "Released")
    assert (row.status["result"], row.status["current"]) == ("Succeeded", True)
    assert row.status["serving"] is False


async def test_without_its_app_a_release_is_left_to_the_garbage_collector() -> None:
    row = await plan(b.release(**PENDING), b.stack())

    assert (row.plan.writes, row.plan.status) == ((), None)


async def test_a_phase_that_hangs_is_stopped_on_request() -> None:
    stop = {"annotations": {"haikube.dev/stop": "yes"}}
    release = b.release(types=WITH_PHASE, metadata=stop, **PENDING)
    row = await plan(release, *whole(), phase_job(), phase_pod(state=b.RUNNING))

    assert row.writes == ["delete Job hello-v1-release"]
    assert (row.status["result"], row.condition()) == ("Failed", ("False", "ReleaseStopped"))
    assert row.status["stop"] == "yes"


@pytest.mark.parametrize(("stop", "ends"), [("yes", False), ("again", True)])
async def test_a_phase_that_hangs_again_is_stopped_by_another_wish(
    stop: str,
    ends: bool,  # noqa: FBT001 - a column
) -> None:
    wishes = {"annotations": {"haikube.dev/stop": stop, "haikube.dev/retry": "now"}}
    status = FAILED_PHASE | {"stop": "yes"}
    failed = b.release(types=WITH_PHASE, metadata=wishes, result=None, status=status)
    first = await plan(failed, *whole())
    name = "hello-v1-release-" + hashlib.sha256(b"now").hexdigest()[:6]
    assert first.writes == ([] if ends else [f"create Job {name}"])
    assert first.status["result"] == ("Failed" if ends else "Pending")
    assert first.status["stop"] == stop


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        ({"state": b.waiting("ImagePullBackOff", "no such image")}, "ImagePullFailed"),
        ({"conditions": [b.UNSCHEDULABLE]}, "Unschedulable"),
    ],
)
async def test_a_phase_that_cannot_start_says_so(pod: b.Raw, reason: str) -> None:
    release = b.release(types=WITH_PHASE, **PENDING)
    row = await plan(release, *whole(), phase_job(), phase_pod(**pod))

    assert row.condition() == ("Unknown", reason)
    assert row.status["result"] == "Pending"


async def test_a_failed_phase_is_tried_again_on_request() -> None:
    again = {"annotations": {"haikube.dev/retry": "now"}}
    failed = b.release(types=WITH_PHASE, metadata=again, result=None, status=FAILED_PHASE)
    row = await plan(failed, *whole(), phase_job(("Failed", "BackoffLimitExceeded")))
    (made,) = row.writes

    assert made.startswith("create Job hello-v1-release-")
    assert (row.status["result"], row.status["retry"]) == ("Pending", "now")


async def test_a_retry_is_made_once() -> None:
    again = {"annotations": {"haikube.dev/retry": "now"}}
    status = {**FAILED_PHASE, "retry": "now"}
    failed = b.release(types=WITH_PHASE, metadata=again, result=None, status=status)
    row = await plan(failed, *whole(), now=datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC))

    assert row.writes == ["delete Secret hello-v1-slug"]
    assert row.status["result"] == "Failed"


async def test_the_job_of_a_phase_is_kept_until_its_end_is_recorded_and_an_hour_more() -> None:
    job = phase_job(("Complete", ""))
    fresh = await plan(
        b.release(types=WITH_PHASE), *whole(), job, now=datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    )
    later = await plan(
        b.release(types=WITH_PHASE), *whole(), job, now=datetime(2026, 1, 1, 1, 1, tzinfo=UTC)
    )

    assert fresh.writes == []
    assert later.writes == ["delete Job hello-v1-release"]


# What answers


def answering(*versions: int) -> list[b.Raw]:
    return [
        b.pod(
            f"p{each}",
            marks={**b.dyno_marks(each), "haikube.dev/process-type": "web"},
            ready=True,
            state=b.RUNNING,
        )
        for each in versions
    ]


async def test_the_release_whose_dynos_are_up_serves_and_is_healthy() -> None:
    up = [b.formation(), b.formation("worker", 0), b.deployment(), *answering(1)]
    row = await plan(b.release(), *whole(), *up)

    assert row.status["serving"] is True
    assert row.condition("Healthy") == ("True", "ProcessesUp")


@pytest.mark.parametrize("newest_up", [False, True])
async def test_during_a_rollout_the_old_release_serves(*, newest_up: bool) -> None:
    pods = answering(1, 2) if newest_up else answering(1)
    rolling = b.deployment(version=2, replicas=2, ready=1)
    parts = [
        b.release(1),
        b.formation(quantity=2),
        rolling,
        *whole(2),
        *pods,
        b.snapshot(1),
        b.slug_url(1),
    ]
    new = await plan(b.release(2), *parts)
    old = await plan(b.release(1), b.release(2), *parts[1:])

    assert (new.status["current"], new.status["serving"]) == (True, False)
    assert (old.status["current"], old.status["serving"]) == (False, True)
    assert new.condition("Healthy") == ("Unknown", "DynosStarting")
