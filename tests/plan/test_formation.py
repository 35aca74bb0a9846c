"""Formations: Deployment, Service and route, dyno names, and why dynos do not run."""

from __future__ import annotations

from typing import Any

import pytest

import builders as b
from plan.formations import BASE, UP, dyno
from stage import Row, plan


async def test_a_web_formation_gets_deployment_service_and_route() -> None:
    row = await plan(b.formation(), *BASE)

    assert row.writes == UP
    assert row.condition() == ("Unknown", "DynosStarting")
    assert row.status["command"] == "python app.py"
    assert row.status["ready"] == "0/1"
    assert row.status["release"] == {"name": "hello-v1", "version": 1}


async def test_another_type_gets_only_a_deployment_without_port() -> None:
    row = await plan(b.formation("worker"), *BASE)
    spec = row.body("apply Deployment hello-worker")["spec"]
    found = spec["template"]["spec"]["containers"][0]

    assert row.writes == ["apply Deployment hello-worker"]
    assert "ports" not in found
    assert "PORT" not in [each["name"] for each in found["env"]]
    assert spec["minReadySeconds"] == 3


async def test_the_deployment_surges_first() -> None:
    row = await plan(b.formation(quantity=3), *BASE)
    spec = row.body(UP[0])["spec"]

    assert spec["replicas"] == 3
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": "100%"}


async def test_an_app_that_never_runs_two_releases_at_once_stops_the_old_one_first() -> None:
    app = b.app(rollout={"strategy": "Replace"})
    row = await plan(b.formation(), app, *BASE[1:])

    assert row.body(UP[0])["spec"]["strategy"] == {"type": "Recreate"}


async def test_in_place_no_dyno_is_above_the_wanted_number() -> None:
    app = b.app(rollout={"strategy": "InPlace"})
    row = await plan(b.formation(quantity=3), app, *BASE[1:])

    spec = row.body(UP[0])["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}


async def test_a_renamed_app_has_the_host_of_its_name() -> None:
    app = b.app(name="hello", metadata={}) | {"spec": {"name": "hallo"}}
    row = await plan(b.formation(), app, *BASE[1:])

    assert row.body(UP[3])["spec"]["hostnames"] == ["hallo.localhost"]


async def test_the_route_has_the_default_host_and_the_domains() -> None:
    app = b.app(domains=[{"hostname": "www.example.com"}])
    row = await plan(b.formation(), app, b.stack(), b.release())
    spec = row.body("apply HTTPRoute hello-web")["spec"]

    assert spec["hostnames"] == ["hello.localhost", "www.example.com"]
    assert spec["parentRefs"][0]["namespace"] == "haikube-gateway"


def mark(row: Row) -> tuple[Any, Any]:
    """Return the release that a route is marked with: for us, and for who asks the gateway."""
    route = row.body("apply HTTPRoute hello-web")
    _, answers = route["spec"]["rules"][0]["filters"]
    told = answers["responseHeaderModifier"].get("set")
    return route["metadata"].get("annotations"), told


async def test_a_route_is_marked_with_the_release_that_all_its_dynos_run() -> None:
    base = (b.app(), b.stack(), b.release(1), b.release(2))
    starting = await plan(b.formation(), *base, b.deployment(version=2, ready=0), b.route())
    assert mark(starting) == (None, None)

    up = await plan(b.formation(), *base, b.deployment(version=2), b.route())
    marked = {"haikube.dev/serving": "v2"}
    assert mark(up) == (marked, [{"name": "Haikube-Release", "value": "v2"}])

    older = b.route()
    older["metadata"]["annotations"] = {"haikube.dev/serving": "v1"}
    for found in (b.deployment(version=1), b.deployment(version=2, ready=0)):
        rolling = await plan(b.formation(), *base, found, older)
        assert mark(rolling)[1] == [{"name": "Haikube-Release", "value": "v1"}]


CRASHED = dyno(state=b.waiting("CrashLoopBackOff"), last=b.ended(1))


STARTS = dyno(state=b.RUNNING)


@pytest.mark.parametrize(
    ("formation", "app", "others", "is_open"),
    [
        (b.formation(), b.app(), (), True),
        (b.formation(), b.app(maintenance="Enabled"), (b.deployment(),), False),
        (b.formation(quantity=0), b.app(), (b.deployment(),), False),
        (b.formation(), b.app(), (b.deployment(ready=0), STARTS), True),
        (b.formation(), b.app(), (b.deployment(ready=0), CRASHED), False),
        (b.formation(quantity=2), b.app(), (b.deployment(ready=1), CRASHED), True),
    ],
)
async def test_where_nobody_could_answer_there_is_no_route(
    formation: b.Raw, app: b.Raw, others: tuple[b.Raw, ...], is_open: object
) -> None:
    """Visitors come to the platform's own page by the gateway's default route."""
    row = await plan(formation, app, b.stack(), b.release(), b.route(), *others)

    assert ("apply HTTPRoute hello-web" in row.writes) is is_open
    assert ("delete HTTPRoute hello-web" in row.writes) is not is_open
    assert "apply Service hello-web" in row.writes


async def test_an_app_that_lost_its_host_has_no_route() -> None:
    older = b.app(namespace="other", metadata={"creationTimestamp": "2025-01-01T00:00:00Z"})
    row = await plan(b.formation(), *BASE, older, b.route(), b.service())

    assert row.writes == [*UP[:3], "delete HTTPRoute hello-web"]


async def test_a_type_at_zero_that_never_ran_has_no_deployment() -> None:
    row = await plan(b.formation("worker", 0), *BASE)

    assert row.writes == []
    assert row.condition() == ("True", "ScaledToZero")


async def test_scaling_to_zero_keeps_the_deployment() -> None:
    row = await plan(b.formation("worker", 0), *BASE, b.deployment("worker"))

    assert row.body("apply Deployment hello-worker")["spec"]["replicas"] == 0
    assert row.condition() == ("Unknown", "DynosStarting")


async def test_a_type_that_left_the_release_is_removed() -> None:
    only_worker = b.release(types={"worker": "x"})
    row = await plan(
        b.formation(), b.app(), b.stack(), only_worker, b.deployment(), b.service(), b.route()
    )

    assert row.writes == [
        "delete Deployment hello-web",
        "delete Service hello-web",
        "delete HTTPRoute hello-web",
    ]
    assert row.condition() == ("False", "NotInRelease")


BUDGET = "apply PodDisruptionBudget hello-worker"


@pytest.mark.parametrize(
    ("quantity", "others", "writes"),
    [
        (1, (), []),
        (2, (), [BUDGET]),
        (2, (b.budget("worker"),), [BUDGET]),
        (1, (b.budget("worker"),), ["delete PodDisruptionBudget hello-worker"]),
        (0, (b.budget("worker"),), ["delete PodDisruptionBudget hello-worker"]),
    ],
)
async def test_a_drain_takes_one_of_several_dynos_and_one_alone_blocks_nobody(
    quantity: int, others: tuple[b.Raw, ...], writes: list[str]
) -> None:
    formation = b.formation("worker", quantity)
    row = await plan(formation, *BASE, b.deployment("worker"), *others)

    assert row.writes == ["apply Deployment hello-worker", *writes]


async def test_a_budget_goes_with_its_process_type() -> None:
    base = (b.app(), b.stack(), b.release(types={"web": "x"}))
    row = await plan(b.formation("worker"), *base, b.budget("worker"))

    assert row.writes == ["delete PodDisruptionBudget hello-worker"]


async def test_without_its_app_the_dynos_are_removed() -> None:
    row = await plan(b.formation(), b.deployment())

    assert row.writes == ["delete Deployment hello-web"]
    assert row.condition() == ("False", "AppNotFound")


async def test_without_a_release_there_is_nothing_to_run() -> None:
    row = await plan(b.formation(), b.app(), b.stack(), b.release(result="Failed"))

    assert row.condition() == ("False", "NoRelease")
    assert row.writes == ["apply Service hello-web"], "it names nothing of a release"


async def test_a_type_with_a_strange_name_is_labelled_safely() -> None:
    kind = "Work_er_"
    row = await plan(b.formation(kind), b.app(), b.stack(), b.release(types={kind: "x"}))
    (words,) = row.writes
    marks = row.body(words)["spec"]["template"]["metadata"]["labels"]

    assert marks["haikube.dev/process-type"].startswith("Work-er-")
    env = row.body(words)["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "HAIKUBE_PROCESS_TYPE", "value": kind} in env


async def test_a_second_formation_of_a_type_is_refused_by_its_name() -> None:
    extra = b.formation()
    extra["metadata"]["name"] = "hello-extra"
    row = await plan(extra, *BASE)

    assert (row.writes, row.condition()) == ([], ("False", "WrongName"))
    assert "hello-web" in row.message()


async def test_the_selector_is_that_of_the_pods() -> None:
    row = await plan(b.formation(), *BASE)
    spec = row.body(UP[0])["spec"]
    chosen = ",".join(
        f"{key}={text}" for key, text in sorted(spec["selector"]["matchLabels"].items())
    )

    assert row.status["selector"] == chosen
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
