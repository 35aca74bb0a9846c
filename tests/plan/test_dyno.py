"""One-off dynos: the pod they get, and how they end."""

from __future__ import annotations

import re
from typing import Any

import pytest

import builders as b
from stage import plan

BASE = (b.app(), b.stack(), b.release())
CREATE = "create Pod run-1"


def pod(**extra: Any) -> b.Raw:
    return b.pod("run-1", owner=("Dyno", "run-1"), **extra)


async def test_a_command_gets_a_pod_that_never_restarts() -> None:
    row = await plan(b.dyno(command=["rake db:migrate && true"], ttlSeconds=60), *BASE)
    body = row.body(CREATE)
    spec = body["spec"]

    assert row.writes == [CREATE]
    assert (spec["restartPolicy"], spec["activeDeadlineSeconds"]) == ("Never", 60)
    assert spec["containers"][0]["args"] == ["rake db:migrate && true"]
    assert body["metadata"]["annotations"]["haikube.dev/dyno"].startswith("run.")
    assert row.status["state"] == "Starting"
    assert row.status["release"] == {"name": "hello-v1", "version": 1}


async def test_several_words_are_quoted() -> None:
    row = await plan(b.dyno(command=["echo", "a b", "$HOME"]), *BASE)

    assert row.body(CREATE)["spec"]["containers"][0]["args"] == ["echo 'a b' '$$HOME'"]


async def test_a_process_type_runs_its_command_without_port() -> None:
    row = await plan(b.dyno(processType="web", attach=True), *BASE)
    container = row.body(CREATE)["spec"]["containers"][0]

    assert container["args"] == ["python app.py"]
    assert "readinessProbe" not in container
    assert (container["stdin"], container["tty"]) == (True, True)


@pytest.mark.parametrize(
    ("dyno", "others", "reason"),
    [
        (b.dyno(command=["x"]), (b.stack(), b.release()), "AppNotFound"),
        (b.dyno(command=["x"]), (b.app(), b.stack()), "NoRelease"),
        (b.dyno(processType="none"), BASE, "NotInRelease"),
        (b.dyno(command=["x"], size="huge"), BASE, "UnknownSize"),
        (b.dyno(command=["x"]), (b.app(), b.release()), "StackNotFound"),
    ],
)
async def test_what_is_missing_is_named(
    dyno: b.Raw, others: tuple[b.Raw, ...], reason: str
) -> None:
    row = await plan(dyno, *others)

    assert (row.writes, row.condition()) == ([], ("False", reason))
    assert row.status["state"] == "Pending"


@pytest.mark.parametrize(
    ("found", "state", "condition"),
    [
        (pod(), "Starting", ("Unknown", "DynoStarting")),
        (pod(state=b.RUNNING), "Up", ("Unknown", "DynoUp")),
        (pod(state=b.ended(0)), "Complete", ("True", "DynoComplete")),
        (pod(state=b.ended(3)), "Crashed", ("False", "DynoCrashed")),
        (pod(status={"reason": "DeadlineExceeded"}), "Crashed", ("False", "DynoExpired")),
        (pod(status={"phase": "Failed", "reason": "Evicted"}), "Crashed", ("False", "DynoLost")),
        (pod(state=b.waiting("ErrImagePull")), "Pending", ("False", "ImagePullFailed")),
    ],
)
async def test_how_far_it_is(found: b.Raw, state: str, condition: tuple[str, str]) -> None:
    row = await plan(b.dyno(command=["x"]), *BASE, found)

    assert row.writes == []
    assert (row.status["state"], row.condition()) == (state, condition)


async def test_it_records_exit_code_and_times() -> None:
    row = await plan(b.dyno(command=["x"]), *BASE, pod(state=b.ended(3)))

    assert row.status["exitCode"] == 3
    assert row.status["startedAt"] == b.CREATED
    assert row.status["finishedAt"] == "2026-01-01T00:00:40Z"


async def test_it_keeps_the_release_it_was_started_with() -> None:
    first = {"name": "hello-v1", "version": 1}
    dyno = b.dyno(command=["x"], status={"release": first, "podName": "run-1"})
    row = await plan(dyno, *BASE, b.release(2), pod(state=b.RUNNING))

    assert row.status["release"] == first


async def test_a_vanished_pod_is_never_started_again() -> None:
    row = await plan(b.dyno(command=["x"], status={"podName": "run-1"}), *BASE)

    assert (row.writes, row.condition()) == ([], ("False", "DynoLost"))


@pytest.mark.parametrize("state", ["Complete", "Crashed"])
async def test_an_end_stays(state: str) -> None:
    row = await plan(b.dyno(command=["x"], status={"state": state}), *BASE)

    assert (row.plan.writes, row.plan.status) == ((), None)


async def test_one_that_is_being_deleted_is_left_alone() -> None:
    dyno = b.dyno(command=["x"])
    dyno["metadata"]["deletionTimestamp"] = b.CREATED

    assert (await plan(dyno, *BASE)).plan.writes == ()


async def test_a_run_brings_its_own_environment() -> None:
    wishes = {"TERM": "xterm", "STACK": "mine", "PRICE": "$5", "HAIKUBE_POD": "no"}
    listed = [{"name": name, "value": text} for name, text in wishes.items()]
    row = await plan(b.dyno(command=["x"], env=listed), *BASE)
    env = row.body(CREATE)["spec"]["containers"][0]["env"]
    found = {each["name"]: each.get("value") for each in env}

    assert len(found) == len(env)
    assert (found["TERM"], found["STACK"], found["PRICE"]) == ("xterm", "mine", "$$5")
    assert found["HAIKUBE_POD"] is None
    assert "HAIKUBE_ATTACH_SECONDS" not in found


async def test_an_attached_run_waits_for_its_session() -> None:
    row = await plan(b.dyno(command=["x"], attach=True, tty=False), *BASE)
    container = row.body(CREATE)["spec"]["containers"][0]

    assert (container["stdin"], container["stdinOnce"], container["tty"]) == (True, True, False)
    assert container["command"][3:5] == ["--attach", "120"]


@pytest.mark.parametrize(
    ("name", "spec", "called"),
    [
        ("hello-run-1234", {}, "run.1234"),
        ("hello-run-1234", {"processType": "worker"}, "worker.1234"),
        ("hello-run-x", {}, r"run\.\d{4}"),
        ("other-run-1234", {}, r"run\.\d{4}"),
    ],
)
async def test_how_it_is_called(name: str, spec: b.Raw, called: str) -> None:
    row = await plan(b.dyno(name, command=["x"], **spec), *BASE)

    given = row.body(f"create Pod {name}")["metadata"]["annotations"]["haikube.dev/dyno"]
    assert re.fullmatch(called, given)


def attached(until: str, **status: Any) -> b.Raw:
    dyno = b.dyno(command=["x"], attach=True, status=status)
    dyno["metadata"]["annotations"] = {"haikube.dev/session-until": until}
    return dyno


async def test_a_session_that_is_gone_ends_its_dyno() -> None:
    row = await plan(attached("2026-01-01T00:59:59Z"), *BASE, pod(state=b.RUNNING))

    assert row.writes == ["delete Pod run-1"]
    assert (row.status["state"], row.condition()) == ("Crashed", ("False", "SessionOver"))


@pytest.mark.parametrize(
    ("until", "left"), [("2026-01-01T01:03:00Z", 180.0), ("soon", None), ("", None)]
)
async def test_a_session_that_lives_is_looked_at_again(until: str, left: float | None) -> None:
    row = await plan(attached(until), *BASE, pod(state=b.RUNNING))

    assert (row.writes, row.status["state"], row.plan.requeue_after) == ([], "Up", left)


async def test_an_exit_code_outlives_its_session() -> None:
    row = await plan(attached("2026-01-01T00:00:00Z"), *BASE, pod(state=b.ended(3)))

    assert (row.writes, row.status["exitCode"]) == ([], 3)


@pytest.mark.parametrize(
    ("keep", "ended", "writes", "left"),
    [
        (None, "2026-01-01T00:00:00Z", [], None),
        (3600, "2026-01-01T00:00:00Z", ["delete Dyno run-1"], None),
        (3600, "2026-01-01T00:30:00Z", [], 1800.0),
    ],
)
async def test_one_that_has_ended_is_kept_for_its_time(
    keep: int | None, ended: str, writes: list[str], left: float | None
) -> None:
    spec = {} if keep is None else {"keepSeconds": keep}
    status = {"state": "Complete", "finishedAt": ended}
    row = await plan(b.dyno(command=["x"], status=status, **spec), *BASE)

    assert (row.writes, row.plan.requeue_after) == (writes, left)
