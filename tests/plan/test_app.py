"""Apps: config, declared builds, the ledger, formations, history, and what Ready says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import builders as b
from haikube.cluster.fake import FakeCluster
from haikube.model.resources import SECRETS
from plan.apps import FIRST, SERVING
from stage import plan


async def test_an_app_that_serves() -> None:
    row = await plan(b.app(), b.config(), *SERVING)

    assert row.writes == []
    assert row.condition() == ("True", "Serving")
    assert row.message() == "v1 serves http://hello.localhost:8080/"
    assert row.status["currentRelease"] == {"name": "hello-v1", "version": 1}
    assert row.status["buildpack"] == "Python"
    assert row.status["web"] == "1/1"
    assert [each["name"] for each in row.status["processTypes"]] == ["web", "worker"]
    assert {row.condition(kind)[0] for kind in row.types} == {"True"}


async def test_a_renamed_app_says_where_it_is_now() -> None:
    app = b.app() | {"spec": {"name": "hallo"}}
    row = await plan(app, b.config(), *SERVING)

    assert row.message() == "v1 serves http://hallo.localhost:8080/"
    assert row.message().endswith(row.status["url"])


async def test_maintenance_is_ready_and_says_so() -> None:
    row = await plan(b.app(maintenance="Enabled"), b.config(), *SERVING)

    assert row.condition() == ("True", "Maintenance")


async def test_only_workers() -> None:
    worker = [b.formation("worker", 1), b.deployment("worker"), b.stack()]
    release = b.release(types={"worker": "x"})
    row = await plan(b.app(), b.config(), release, b.snapshot(), b.slug_url(), *worker)

    assert row.condition() == ("True", "Serving")
    assert row.message() == "v1 runs"
    assert "RouteAdmitted" not in row.types


def serving_but(**changes: Any) -> list[b.Raw]:
    """Return what serves, with one part replaced."""
    parts = {"route": b.route(), "deployment": b.deployment(), "pod": None, **changes}
    kept = (each for each in SERVING if each["kind"] not in {"HTTPRoute", "Deployment"})
    return [b.config(), *kept, *(each for each in parts.values() if each)]


CRASHED = b.pod("p", marks=b.dyno_marks(), state=b.ended(1))


@pytest.mark.parametrize(
    ("changes", "condition"),
    [
        ({"deployment": b.deployment(ready=0), "pod": CRASHED}, ("False", "AppCrashed")),
        ({"deployment": b.deployment(ready=0)}, ("Unknown", "DynosStarting")),
        ({"deployment": None}, ("Unknown", "DynosStarting")),
        ({"deployment": b.deployment(version=7)}, ("Unknown", "DynosStarting")),
        ({"route": None}, ("Unknown", "RoutePending")),
        ({"route": b.route(admitted=None)}, ("Unknown", "RoutePending")),
        ({"route": b.route(admitted=False)}, ("False", "RouteRefused")),
    ],
)
async def test_what_keeps_an_app_from_being_ready(
    changes: dict[str, Any], condition: tuple[str, str]
) -> None:
    row = await plan(b.app(), *serving_but(**changes))

    assert row.condition() == condition


async def test_an_app_whose_formations_are_just_being_made() -> None:
    row = await plan(b.app(), b.config(), b.release(), b.snapshot())

    assert row.condition() == ("Unknown", "DynosStarting")


@pytest.mark.parametrize(
    ("others", "condition"),
    [
        ([b.build(status={"result": "Running"})], ("Unknown", "Building")),
        ([b.build(status=b.failed("NoBuildpackMatches"))], ("False", "NoBuildpackMatches")),
        ([b.build(status=b.succeeded())], ("Unknown", "Releasing")),
        ([b.release(result=None), b.snapshot()], ("Unknown", "Releasing")),
        (
            [b.release(2, result=None, rollbackOf=1), b.release(1, result="Failed")],
            ("False", "SnapshotMissing"),
        ),
        (
            [b.release(result=None, status=b.failed("ReleaseCommandFailed")), b.snapshot()],
            ("False", "ReleaseCommandFailed"),
        ),
    ],
)
async def test_an_app_that_has_never_served(
    others: list[b.Raw], condition: tuple[str, str]
) -> None:
    row = await plan(b.app(), b.config(), *others)

    assert row.condition() == condition


async def test_an_unlabelled_config_stops_an_app_that_has_never_served() -> None:
    cluster = FakeCluster()
    cluster.seed(SECRETS, {"metadata": {"name": "hello-config", "namespace": "team"}})
    row = await plan(b.app(), b.build(status=b.succeeded()), cluster=cluster)

    assert row.writes == []
    assert row.condition() == ("False", "ConfigSecretNotLabelled")


async def test_a_taken_default_host_stalls_the_app() -> None:
    older = b.app(namespace="other", metadata={"creationTimestamp": "2025-01-01T00:00:00Z"})
    row = await plan(b.app(), b.config(), *SERVING, older)

    assert row.condition() == ("False", "HostnameTaken")
    assert "other/hello" in row.message()


async def test_a_lost_extra_domain_only_shows_in_its_condition() -> None:
    older = b.app(
        "elder",
        domains=[{"hostname": "www.example.com"}],
        metadata={"creationTimestamp": "2025-01-01T00:00:00Z"},
    )
    row = await plan(b.app(domains=[{"hostname": "www.example.com"}]), b.config(), *SERVING, older)

    assert row.condition() == ("True", "Serving")
    assert row.condition("RouteAdmitted") == ("False", "HostnameTaken")


@pytest.mark.parametrize(("hours", "gone"), [(0, False), (2, True)])
async def test_a_dyno_that_has_ended_is_forgotten_after_an_hour(*, hours: int, gone: bool) -> None:
    ended = b.dyno(status={"state": "Complete", "finishedAt": "2026-01-01T00:30:00Z"})
    now = datetime(2026, 1, 1, hours, 31, tzinfo=UTC)
    row = await plan(b.app(), b.config(), *FIRST, ended, now=now)

    assert ("delete Dyno run-1" in row.writes) is gone


async def test_an_app_that_is_being_deleted_is_left_alone() -> None:
    row = await plan(b.app(metadata={"deletionTimestamp": b.CREATED}))

    assert (row.plan.writes, row.plan.status) == ((), None)


async def test_transition_times_stay_while_a_status_does() -> None:
    first = await plan(b.app(), now=datetime(2026, 1, 1, 1, tzinfo=UTC))
    second = await plan(
        b.app(status=dict(first.status)), b.config(), now=datetime(2026, 1, 1, 2, tzinfo=UTC)
    )
    times = {each["type"]: each["lastTransitionTime"] for each in second.status["conditions"]}

    assert times == {"Ready": "2026-01-01T01:00:00Z", "ConfigReady": "2026-01-01T02:00:00Z"}
