"""Formations: Deployment, Service and route, dyno names, and why dynos do not run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as b
from haikube.plan.dynos import literal
from stage import Row, plan

BASE = (b.app(), b.stack(), b.release())
UP = [
    "apply Deployment hello-web",
    "apply PodDisruptionBudget hello-web",
    "apply Service hello-web",
    "apply HTTPRoute hello-web",
]


def dyno(name: str = "p", **extra: Any) -> b.Raw:
    marks = extra.pop("marks", b.dyno_marks())
    return b.pod(name, marks=marks, **extra)


def container(row: Row) -> Any:
    pod = row.body("apply Deployment hello-web")["spec"]["template"]["spec"]
    return pod["containers"][0]


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


async def test_dynos_are_told_of_their_app_unless_it_says_no() -> None:
    app = b.app(dynoMetadata="Disabled")
    names = {each["name"] for each in container(await plan(b.formation(), app, *BASE[1:]))["env"]}

    assert not {name for name in names if name.startswith("HEROKU_APP")}


async def test_a_renamed_app_has_the_host_of_its_name() -> None:
    app = b.app(name="hello", metadata={}) | {"spec": {"name": "hallo"}}
    row = await plan(b.formation(), app, *BASE[1:])

    assert row.body(UP[3])["spec"]["hostnames"] == ["hallo.localhost"]


async def test_a_dyno_runs_the_command_with_its_release_config() -> None:
    found = container(await plan(b.formation(), *BASE))
    env = {each["name"]: each.get("value") for each in found["env"]}

    limits = ["--grace", "30", "--web", "8080", "--boot", "60"]
    first = ["--first", "/haikube/fetch"]
    assert found["command"] == ["/haikube/dyno", *limits, *first, "--", "/haikube/start"]
    assert found["args"] == ["python app.py"]
    assert found["envFrom"] == [{"secretRef": {"name": "hello-v1"}}]
    assert env["PORT"] == "8080"


async def test_a_dyno_knows_its_release_as_on_heroku() -> None:
    commit = "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d"
    marks = {"annotations": {"haikube.dev/commit": commit}}
    made = b.release(2, description="Set $HOME config var", metadata=marks)
    stack = b.stack(alias="heroku-24")
    found = container(await plan(b.formation(), b.app(), stack, made))

    assert {each["name"]: expanded(each.get("value", "(pod)")) for each in found["env"]} == {
        "PORT": "8080",
        "STACK": "heroku-24",
        "MEMORY_AVAILABLE": "512",
        "HAIKUBE_PROCESS_TYPE": "web",
        "HEROKU_APP_ID": "uid-app-hello",
        "HEROKU_APP_NAME": "hello",
        "HEROKU_RELEASE_VERSION": "v2",
        "HEROKU_RELEASE_CREATED_AT": b.CREATED,
        "HEROKU_BUILD_COMMIT": commit,
        "HEROKU_BUILD_DESCRIPTION": "Set $HOME config var",
        "HEROKU_SLUG_COMMIT": commit,
        "HEROKU_SLUG_DESCRIPTION": "Set $HOME config var",
        "HEROKU_DYNO_ID": "(pod)",
        "HAIKUBE_POD": "(pod)",
    }
    fields = {each["name"]: each["valueFrom"] for each in found["env"] if "valueFrom" in each}
    assert fields["HEROKU_DYNO_ID"] == {"fieldRef": {"fieldPath": "metadata.uid"}}


async def test_a_dyno_of_a_release_without_a_commit_is_told_none() -> None:
    found = container(await plan(b.formation(), *BASE))
    told = {each["name"] for each in found["env"]}

    assert not told & {"HEROKU_BUILD_COMMIT", "HEROKU_SLUG_COMMIT"}


def expanded(text: str) -> str:
    """Return what the kubelet makes of an argument when no variable of that name is set."""
    return re.sub(r"\$\$|\$\([^)]*\)", lambda found: "$" if found[0] == "$$" else found[0], text)


@given(st.text(alphabet="$()aPORT {}", max_size=20))
def test_the_kubelet_leaves_a_command_as_it_is_written(command: str) -> None:
    assert expanded(literal(command)) == command
    assert not re.search(r"(?<!\$)(\$\$)*\$\(", literal(command).replace("$$", ""))


def boot_seconds(found: b.Raw) -> str:
    """Return the limit that process 1 keeps."""
    words: list[str] = found["command"]
    return words[words.index("--boot") + 1]


async def test_a_web_dyno_is_ready_when_it_listens() -> None:
    made = container(await plan(b.formation(), b.app(), b.stack(), b.release()))["readinessProbe"]

    seen = "/tmp/.haikube-listening"  # noqa: S108 - in the dyno
    assert made["exec"]["command"] == ["/haikube/dyno", "listening", "8080", "3600", seen]
    assert (made["timeoutSeconds"], made["periodSeconds"]) == (3660, 1)


async def test_the_rollout_waits_longer_for_a_large_slug_and_the_app_may_set_the_limit() -> None:
    large = (b.app(), b.stack(), b.release(size=300_000_000))
    own = b.app(rollout={"bootTimeoutSeconds": 10, "shutdownGraceSeconds": 5, "maxSurge": 1})
    usual = await plan(b.formation(), *large)
    chosen = await plan(b.formation(), own, b.stack(), b.release())

    assert boot_seconds(container(usual)) == "60"
    assert usual.body(UP[0])["spec"]["progressDeadlineSeconds"] == 60 + 30 + 300
    assert boot_seconds(container(chosen)) == "10"
    spec = chosen.body(UP[0])["spec"]
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 5 + 5 + 5
    assert spec["strategy"]["rollingUpdate"]["maxSurge"] == 1


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

    assert (row.writes, row.condition()) == ([], ("False", "NoRelease"))


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
