"""What a formation says of its dynos: up, starting, or what is wrong with them."""

from __future__ import annotations

import pytest

import builders as b
from plan.formations import BASE, UP, dyno
from stage import plan


@pytest.mark.parametrize(
    ("formation", "base", "reason"),
    [
        (b.formation(size="huge"), BASE, "UnknownSize"),
        (b.formation(), (b.app(), b.release()), "StackNotFound"),
    ],
)
async def test_what_is_wrong_is_named(
    formation: b.Raw, base: tuple[b.Raw, ...], reason: str
) -> None:
    row = await plan(formation, *base)

    assert row.condition() == ("False", reason)
    assert "apply Deployment hello-web" not in row.writes


async def test_all_up() -> None:
    row = await plan(b.formation(), *BASE, b.deployment(), dyno(ready=True, dyno="web.1"))

    assert row.writes == UP  # commit skips what is applied already
    assert row.condition() == ("True", "DynosUp")
    assert row.status["ready"] == "1/1"


@pytest.mark.parametrize(
    "deployment",
    [
        b.deployment(version=7),
        b.deployment(generation=2, observed=1),
        b.deployment(replicas=2),
        b.deployment(ready=0),
    ],
    ids=["old release", "not observed", "too many", "not ready"],
)
async def test_not_up_yet(deployment: b.Raw) -> None:
    row = await plan(b.formation(), *BASE, deployment)

    assert row.condition() == ("Unknown", "DynosStarting")


CRASHED = b.ended(1, seconds=3)


SILENT = b.ended(137, "Error R10 (Boot timeout) -> Web process failed to bind to $PORT")


NO_SLUG = b.ended(1, "Error R99 (Platform error): the slug of v1 could not be fetched")


@pytest.mark.parametrize(
    ("state", "last", "reason", "code"),
    [
        (b.waiting("CrashLoopBackOff"), CRASHED, "AppCrashed", "H10"),
        (CRASHED, None, "AppCrashed", "exit code 1"),
        (b.waiting("CrashLoopBackOff"), SILENT, "BootTimeout", "R10"),
        (
            b.waiting("CrashLoopBackOff"),
            b.ended(137, reason="OOMKilled"),
            "MemoryQuotaExceeded",
            "Error R15 (Memory quota vastly exceeded)",
        ),
        (b.waiting("CrashLoopBackOff"), NO_SLUG, "SlugUnavailable", "not be fetched"),
        (b.waiting("ErrImagePull", "gone"), None, "ImagePullFailed", "runImage"),
        (b.waiting("CreateContainerConfigError", "no secret"), None, "ConfigUnavailable", "secret"),
    ],
)
async def test_why_a_dyno_does_not_run(
    state: b.Raw, last: b.Raw | None, reason: str, code: str
) -> None:
    row = await plan(
        b.formation(), *BASE, b.deployment(ready=0), dyno(state=state, last=last, dyno="web.1")
    )

    assert row.condition() == ("False", reason)
    assert row.condition("Stalled") == ("True", reason)
    assert code in row.message()
    assert row.message().startswith("web.1")


async def test_a_killed_dyno_that_had_booted_has_crashed() -> None:
    killed = dyno(state=b.ended(137))
    row = await plan(b.formation(), *BASE, b.deployment(ready=0), killed)

    assert row.condition() == ("False", "AppCrashed")


async def test_a_crash_of_the_old_release_is_not_held_against_the_new() -> None:
    old = dyno(state=CRASHED, marks=b.dyno_marks(7))

    assert (await plan(b.formation(), *BASE, b.deployment(ready=0), old)).condition() == (
        "Unknown",
        "DynosStarting",
    )


async def test_no_room_on_any_node() -> None:
    condition = {"type": "PodScheduled", "reason": "Unschedulable", "message": "0/1 nodes"}
    row = await plan(b.formation(), *BASE, b.deployment(ready=0), dyno(conditions=[condition]))

    assert row.condition() == ("Unknown", "Unschedulable")


async def test_dynos_wait_for_users_that_no_node_lends() -> None:
    starting = dyno(state=b.waiting("ContainerCreating"))
    row = await plan(b.formation(), *BASE, b.deployment(ready=0), starting, user_namespaces="on")

    assert row.condition() == ("Unknown", "UserNamespacesMissing")
    assert "set it to auto" in row.message()


@pytest.mark.parametrize(
    ("message", "reason"),
    [("exceeded quota: team", "QuotaExceeded"), ("violates PodSecurity", "PodsRefused")],
)
async def test_refused_pods(message: str, reason: str) -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "message": message}
    row = await plan(b.formation(), *BASE, b.deployment(ready=0, conditions=[refused]))

    assert row.condition() == ("False", reason)


REFUSED = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: team"}


async def test_a_full_namespace_is_no_fault_while_an_old_dyno_makes_room() -> None:
    app = b.app(rollout={"strategy": "InPlace"})
    full = b.deployment(ready=0, conditions=[REFUSED])
    row = await plan(b.formation(), app, *BASE[1:], full, dyno(deleting=True))
    assert row.condition() == ("Unknown", "DynosStarting")

    row = await plan(b.formation(), app, *BASE[1:], full, dyno())
    assert row.condition() == ("False", "QuotaExceeded")


async def test_a_dyno_that_has_gone_lets_a_refused_one_be_tried_at_once() -> None:
    async def mark(strategy: str, *found: b.Raw) -> str | None:
        app = b.app(rollout={"strategy": strategy})
        row = await plan(b.formation(), app, *BASE[1:], *found)
        written = row.body("apply Deployment hello-web")["metadata"]["annotations"]
        return written.get("haikube.dev/tried-beside")

    full = b.deployment(ready=0, conditions=[REFUSED])
    before = await mark("InPlace", full, dyno("a"), dyno("b", deleting=True))
    assert before
    assert await mark("InPlace", full, dyno("a", deleting=True), dyno("b")) == before
    assert await mark("InPlace", full, dyno("a")) not in {before, None}
    assert await mark("InPlace", b.deployment(), dyno("a")) is None
    assert await mark("Surge", full, dyno("a")) is None


async def test_who_rolls_out_in_a_full_namespace_is_told_of_the_other_way() -> None:
    full = b.deployment(ready=0, conditions=[REFUSED])
    assert "InPlace" not in (await plan(b.formation(), *BASE, full)).message()

    full["status"]["updatedReplicas"] = 0
    row = await plan(b.formation(), *BASE, full)
    assert row.message().endswith("rollout.strategy InPlace replaces dynos without room for more")


async def test_a_stuck_rollout() -> None:
    stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    row = await plan(b.formation(), *BASE, b.deployment(ready=0, conditions=[stuck]))

    assert row.condition() == ("False", "RolloutStuck")


async def test_new_dynos_are_named_first_of_all() -> None:
    row = await plan(b.formation(), *BASE, dyno("p1", dyno="web.2"), dyno("p2"))

    assert row.writes == ["annotate p2 web.1", *UP]
