"""What the cluster refuses becomes a condition at once, and is tried again with back-off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import builders as b
from conditions_check import assert_conditions_sane
from haikube.cluster.errors import ApiError, Forbidden, Invalid
from haikube.cluster.fake import Call
from haikube.engine.patience import REPAIRS
from haikube.model.conditions import find
from haikube.model.resources import (
    APPS,
    BUILDS,
    FORMATIONS,
    JOBS,
    SECRETS,
    SERVICES,
    STACKS,
)
from haikube.storage.port import StorageError
from simulation import Simulation

TYPES = [{"name": "web", "command": "x"}]
GOOD = {"ok": True, "slug": {"digest": b.DIGEST, "sizeBytes": 1}, "processTypes": TYPES}


async def started() -> Simulation:
    world = Simulation()
    await world.apply(STACKS, "debian-13", {"runImage": "run:1", "buildImage": "build:1"})
    await world.apply(APPS, "hello", {})
    await world.settle()
    return world


def refuse_jobs(error: ApiError) -> Callable[[Call], None]:
    def fault(call: Call) -> None:
        if call.resource == JOBS and call.verb == "create":
            raise error

    return fault


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Forbidden(403, "Forbidden", "exceeded quota: team"), "QuotaExceeded"),
        (Forbidden(403, "Forbidden", "violates PodSecurity"), "WriteRefused"),
        (Invalid(422, "Invalid", "spec.x: no"), "WriteRefused"),
    ],
)
async def test_a_refused_job_shows_and_heals(error: ApiError, reason: str) -> None:
    world = await started()
    world.cluster.fault = refuse_jobs(error)
    await world.push("b1", GOOD)
    await world.settle()
    build = await world.cluster.get(BUILDS, "b1", b.NAMESPACE)

    assert_conditions_sane(build)
    assert find(build["status"], "Ready")["reason"] == reason
    assert error.message in find(build["status"], "Ready")["message"]

    world.cluster.fault = None
    world.clock.advance(400)
    await world.settle()
    app = await world.cluster.get(APPS, "hello", b.NAMESPACE)

    assert find(app["status"], "Ready")["status"] == "True"


async def test_a_namespace_that_is_being_deleted_is_not_written_to() -> None:
    world = await started()
    text = "namespace team is being terminated"
    world.cluster.fault = refuse_jobs(Forbidden(403, "Forbidden", text))
    await world.push("b1", GOOD)
    await world.settle()
    build = await world.cluster.get(BUILDS, "b1", b.NAMESPACE)

    assert "conditions" not in build.get("status", {})


async def test_an_object_of_somebody_else_is_never_taken_over() -> None:
    world = await started()
    foreign = {"metadata": {"name": "b1", "namespace": b.NAMESPACE}, "spec": {"mine": True}}
    world.cluster.seed(JOBS, {**foreign, "status": {"conditions": [{"type": "Complete"}]}})
    await world.push("b1", GOOD)
    await world.settle()
    build = await world.cluster.get(BUILDS, "b1", b.NAMESPACE)

    assert find(build["status"], "Ready")["reason"] == "NameTaken"
    assert (await world.cluster.get(JOBS, "b1", b.NAMESPACE))["spec"] == {"mine": True}


async def test_a_fight_over_a_field_is_not_mistaken_for_a_taken_name() -> None:
    world = await started()
    await world.push("b1", GOOD)
    await world.settle()
    theirs = {"spec": {"selector": {"haikube.dev/formation": "another"}}}
    for _ in range(REPAIRS + 1):
        await world.cluster.patch(SERVICES, "hello-web", b.NAMESPACE, theirs)
        await world._operate()
    formation = await world.cluster.get(FORMATIONS, "hello-web", b.NAMESPACE)

    assert_conditions_sane(formation)
    assert find(formation["status"], "Ready")["reason"] == "Contested"
    assert "let one of the two go" in find(formation["status"], "Ready")["message"]
    assert find(formation["status"], "Stalled")["status"] == "True"


async def test_storage_that_cannot_sign_is_waited_for() -> None:
    world = await started()

    async def presign(*_: Any) -> str:
        raise StorageError("connection refused")

    healthy = world.storage.presign
    world.storage.presign = presign  # type: ignore[method-assign]  # the storage is down
    await world.push("b1", GOOD)
    await world.settle()
    build = await world.cluster.get(BUILDS, "b1", b.NAMESPACE)

    assert find(build["status"], "Ready")["reason"] == "StorageUnavailable"
    assert "connection refused" in find(build["status"], "Ready")["message"]

    world.storage.presign = healthy  # type: ignore[method-assign]  # it is back
    world.clock.advance(400)
    await world.settle()

    assert (await world.cluster.get(BUILDS, "b1", b.NAMESPACE))["status"]["result"] == "Succeeded"


async def test_a_deleted_child_is_made_again() -> None:
    world = await started()
    await world.push("b1", GOOD)
    await world.settle()
    await world.cluster.delete(SECRETS, "hello-v2-slug", b.NAMESPACE)
    await world.settle()

    assert await world.cluster.get(SECRETS, "hello-v2-slug", b.NAMESPACE)
