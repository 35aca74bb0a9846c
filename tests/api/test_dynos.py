"""Which dynos are answered while two releases run: what answers, what fails, each by one name."""

from __future__ import annotations

from typing import Any

import pytest

from haikube.api.bodies.formation import named_pods
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS, FORMATIONS, PODS
from rest import Rest
from world import NAMESPACE, World

NOW = "2026-01-01T00:00:00Z"
UP = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": NOW}]}
CRASHED = {
    "containerStatuses": [
        {
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "finishedAt": NOW}},
        }
    ]
}
STARTING = {"containerStatuses": [{"state": {"running": {"startedAt": NOW}}}]}
EVICTED = {"phase": "Failed", "reason": "Evicted"}


def a_pod(
    version: int, name: str, status: Json, *, minute: int | None = None, **metadata: Any
) -> Json:
    """A pod of a release; without a name it is one that the operator has not seen yet."""
    minute = version if minute is None else minute
    return {
        "metadata": {
            "name": f"hello-web-{version}-{minute}-{name}",
            "creationTimestamp": f"2026-01-01T00:{minute:02}:00Z",
            "labels": {labels.RELEASE: f"hello-v{version}", "pod-template-hash": str(version)},
            "annotations": {labels.DYNO: name} if name else {},
            **metadata,
        },
        "status": status,
    }


OLD, NEW = a_pod(2, "web.1", UP), a_pod(3, "web.1", CRASHED)


@pytest.mark.parametrize(
    ("pods", "named"),
    [
        pytest.param([OLD], {"web.1": OLD}, id="one release"),
        pytest.param([OLD, NEW], {"web.1": OLD, "web.1.v3": NEW}, id="the new one crashes"),
        pytest.param(
            [OLD, starts := a_pod(3, "web.1", STARTING)],
            {"web.1": OLD, "web.1.v3": starts},
            id="the new one starts",
        ),
        pytest.param(
            [OLD, both := a_pod(3, "web.1", UP)],
            {"web.1": OLD, "web.1.v3": both},
            id="a name moves to the new one only when the old one goes",
        ),
        pytest.param(
            [a_pod(2, "web.1", UP, deletionTimestamp=NOW), NEW],
            {"web.1": NEW},
            id="the old one goes",
        ),
        pytest.param(
            [dead := a_pod(2, "web.1", CRASHED), NEW],
            {"web.1": NEW, "web.1.v2": dead},
            id="none answers",
        ),
        pytest.param(
            [OLD, a_pod(2, "web.1", CRASHED, minute=9)],
            {"web.1": OLD, "web.1.v2": a_pod(2, "web.1", CRASHED, minute=9)},
            id="a restart of the same release does not start",
        ),
        pytest.param(
            [OLD, a_pod(3, "web.1", CRASHED), later := a_pod(3, "web.1", STARTING, minute=4)],
            {"web.1": OLD, "web.1.v3": later},
            id="of a release that is tried twice the newer dyno counts",
        ),
        pytest.param(
            [OLD, unseen := a_pod(3, "", STARTING)],
            {"web.1": OLD, "web.1.v3": unseen},
            id="one without a name is numbered among those of its release",
        ),
        pytest.param(
            [OLD, second := a_pod(2, "", STARTING)],
            {"web.1": OLD, "web.2": second},
            id="one without a name is numbered after those of its release",
        ),
        pytest.param(
            [a_pod(2, "web.1", EVICTED), again := a_pod(2, "web.1", UP, minute=5)],
            {"web.1": again},
            id="one that was evicted is no dyno any more",
        ),
        pytest.param(
            [OLD, other := a_pod(2, "web.2", UP), NEW],
            {"web.1": OLD, "web.1.v3": NEW, "web.2": other},
            id="two dynos, of which one is replaced",
        ),
    ],
)
def test_a_dyno_that_answers_keeps_its_name(pods: list[Json], named: dict[str, Json]) -> None:
    for given in (pods, pods[::-1]):
        found = named_pods("web", given)
        assert found == named
        assert list(found) == list(named)


@pytest.fixture
async def stuck(kept: World, ada: Rest) -> Json:
    """An app of v3 whose dyno crashes, while that of v2 goes on serving."""
    made: Json = await ada.post("/apps", {"name": "hello", "team": NAMESPACE})
    obj = await kept.cluster.get(APPS, "hello", NAMESPACE)
    await kept.ledger.deploy(obj, {"web": "node good.js"})
    while ("team-a", "hello-web-1") not in kept.cluster._state.of(PODS):
        await ada.get("/apps/hello")
    old = await kept.cluster.get(PODS, "hello-web-1", NAMESPACE)
    old["metadata"]["labels"] |= {labels.RELEASE: "hello-v2", "pod-template-hash": "2"}
    kept.cluster.seed(PODS, old)
    await kept.ledger.deploy(obj, {"web": "node bad.js"})
    marks = {**old["metadata"]["labels"], labels.RELEASE: "hello-v3", "pod-template-hash": "3"}
    metadata = {**a_pod(3, "web.1", {})["metadata"], "name": "bad", "labels": marks}
    kept.cluster.seed(
        PODS, {**old, "metadata": {**metadata, "namespace": NAMESPACE}, "status": CRASHED}
    )
    while len(await ada.get("/apps/hello/dynos")) < 2:
        await ada.get("/apps/hello")
    return made


def shown(dynos: list[Json]) -> list[tuple[str, str, int, str]]:
    return [
        (each["name"], each["state"], each["release"]["version"], each["command"]) for each in dynos
    ]


@pytest.mark.usefixtures("stuck")
async def test_what_answers_is_shown_beside_what_does_not_start(ada: Rest) -> None:
    assert shown(await ada.get("/apps/hello/dynos")) == [
        ("web.1", "up", 2, "node good.js"),
        ("web.1.v3", "crashed", 3, "node bad.js"),
    ]
    web = await ada.get("/apps/hello/formation/web")
    assert (web["quantity"], web["command"]) == (1, "node bad.js")


@pytest.mark.usefixtures("stuck")
async def test_each_of_the_two_is_ended_by_its_own_name(kept: World, ada: Rest) -> None:
    assert (await ada.get("/apps/hello/dynos/web.1.v3"))["state"] == "crashed"
    await ada.post("/apps/hello/dynos/web.1.v3/actions/stop", status=202)
    left = {name for _, name in kept.cluster._state.of(PODS)}
    assert left == {"hello-web-1"}
    assert [each["name"] for each in await ada.get("/apps/hello/dynos")] == ["web.1"]


@pytest.mark.usefixtures("stuck")
async def test_a_restart_tries_the_current_release_again(kept: World, ada: Rest) -> None:
    for name in ("web.1", "web.1.v3"):
        await ada.delete(f"/apps/hello/dynos/{name}", 202)
        web = await kept.cluster.get(FORMATIONS, "hello-web", NAMESPACE)
        assert web["metadata"]["annotations"].pop(labels.RESTARTED_AT)
        kept.cluster.seed(FORMATIONS, web)
    assert len(kept.cluster._state.of(PODS)) == 2
