"""The small parts of the operator process: preflight, probes, metrics, logs, sweep, commands."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner

import builders as b
from haikube.cluster.errors import Forbidden, Unreachable
from haikube.cluster.fake import Call, FakeCluster
from haikube.engine.clock import FakeClock
from haikube.engine.health import Health
from haikube.engine.worker import Key
from haikube.model.resources import APPS, GATEWAYS, HTTP_ROUTES, OWN_KINDS
from haikube.operator.logs import configure_logs, mask
from haikube.operator.main import main
from haikube.operator.metrics import CountedCluster, Metrics
from haikube.operator.preflight import (
    CUSTOM_RESOURCES,
    NotReadyToStart,
    check_settings,
    preflight,
)
from haikube.operator.probes import probes_app
from haikube.operator.sweeping import Sweeping
from haikube.storage.port import StorageError
from simulation import Simulation
from stage import settings

KEYS = {"storage_access_key": "a", "storage_secret_key": "s"}


# Preflight


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, None),
        ({"storage_endpoint": "seaweed:8333"}, "http(s)://host:port"),
        ({"storage_bucket": ""}, "name a bucket"),
        ({"storage_secret_key": ""}, "Secret haikube-storage"),
        ({"build_env": '{"a b": "c"}'}, "'a b'"),
        ({"buildpacks": {"heroku/nodejs": "https://git.example/nodejs#v1"}}, None),
        ({"buildpacks": {"acme/rails": "ruby", "rails": "http://git.example"}}, None),
        ({"buildpacks": {"a/b/c": "ruby"}}, "'a/b/c'; write one like heroku/nodejs"),
        ({"buildpacks": {"Acme": "ruby"}}, "'Acme'"),
        ({"buildpacks": {"acme/rails": "heroku/ruby"}}, "mapped to 'heroku/ruby'; write a"),
        ({"buildpacks": {"acme/rails": ""}}, "mapped to ''"),
        ({"buildpacks": {"acme/rails": "file:///etc"}}, "acme/rails has a URL that is refused"),
        ({"buildpacks": {"acme/rails": "https://me:hunter2@git.example/x"}}, "without user or"),
        ({"buildpacks": {"acme/rails": "git@git.example:x"}}, "without user or password"),
        ({"slug_url_seconds": 9_999_999}, "604800"),
        ({"dyno_sizes": {"eco": {"memory": "lots"}}}, "gives eco the memory 'lots'; write 512Mi"),
    ],
)
def test_wrong_settings_are_named_with_the_remedy(
    changes: dict[str, Any], text: str | None
) -> None:
    found = check_settings(
        settings(**KEYS, **changes)
        if "storage_secret_key" not in changes
        else settings(**{**KEYS, **changes})
    )

    assert len(found) == int(text is not None)
    assert text is None or text in found[0]
    assert "hunter2" not in "".join(found)


def with_crds(*absent: str) -> FakeCluster:
    cluster = FakeCluster()
    for kind in (*OWN_KINDS, HTTP_ROUTES, GATEWAYS):
        name = f"{kind.plural}.{kind.group}"
        if name not in absent:
            cluster.seed(CUSTOM_RESOURCES, {"metadata": {"name": name}})
    return cluster


async def test_a_cluster_with_all_crds_will_do() -> None:
    await preflight(with_crds(), settings(**KEYS))


async def test_missing_crds_are_named_with_the_remedy() -> None:
    with pytest.raises(NotReadyToStart) as caught:
        await preflight(
            with_crds("apps.haikube.dev", "httproutes.gateway.networking.k8s.io"), settings(**KEYS)
        )

    assert "kubectl apply --server-side -k crds" in str(caught.value)
    assert "install the Gateway API CRDs" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Forbidden(403, "Forbidden", "no"), "manifests/base/rbac"),
        (Unreachable(0, "Unreachable", "refused"), "does not answer"),
    ],
)
async def test_a_cluster_that_refuses_is_named(error: Exception, text: str) -> None:
    cluster = with_crds()

    def fault(_: Call) -> None:
        raise error

    cluster.fault = fault
    with pytest.raises(NotReadyToStart, match=text):
        await preflight(cluster, settings(**KEYS))


# Probes and metrics


async def test_probes_and_metrics_answer() -> None:
    clock, metrics = FakeClock(), Metrics()
    health = Health(clock)
    health.expect("Pod", 180)
    missing = ["the caches are not filled yet"]
    metrics.reconciled(Key("App", "n", "x"), "done", 0.01)
    metrics.gauge("haikube_queue_depth", "keys", lambda: 3)
    metrics.leading()
    server = TestServer(probes_app(health, metrics, lambda: "".join(missing)))
    async with TestClient(server) as client:
        assert (await client.get("/healthz")).status == 200
        assert (await client.get("/readyz")).status == 503
        missing.clear()
        assert (await client.get("/readyz")).status == 200
        clock.advance(200)
        unhealthy = await client.get("/healthz")
        assert unhealthy.status == 503
        assert "Pod: silent for 200 s" in await unhealthy.text()
        text = await (await client.get("/metrics")).text()

    assert 'haikube_reconcile_seconds_count{kind="App",outcome="done"} 1.0' in text
    assert 'haikube_watch_age_seconds{kind="Pod"} 200.0' in text
    assert "haikube_queue_depth 3.0" in text
    assert "haikube_leader 1.0" in text
    for name in ("resident_memory_bytes", "cpu_seconds_total", "open_fds"):
        assert f"process_{name} " in text


async def test_writes_are_counted_and_passed_on() -> None:
    metrics, cluster = Metrics(), FakeCluster()
    counted = CountedCluster(cluster, metrics.wrote)
    body = {"apiVersion": "v1", "kind": "App", "metadata": {"name": "x", "namespace": "n"}}
    await counted.create(APPS, body)
    await counted.apply(APPS, {**body, "spec": {"a": 1}}, manager="m")
    await counted.apply_status(APPS, {**body, "status": {"a": 1}}, manager="m")
    await counted.patch(APPS, "x", "n", {"spec": {"a": 2}})
    found = await counted.get(APPS, "x", "n")
    await counted.delete(APPS, "x", "n", uid=found["metadata"]["uid"])

    assert (found["spec"], found["status"]) == ({"a": 2}, {"a": 1})
    assert [each.verb for each in cluster.writes] == [
        "create",
        "apply",
        "apply_status",
        "patch",
        "delete",
    ]
    for verb in ("create", "apply", "apply_status", "patch", "delete"):
        assert f'haikube_writes_total{{kind="App",verb="{verb}"}} 1.0' in metrics.text({}).decode()


# Logs


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "PUT http://s3/x?X-Amz-Signature=abc&X-Amz-Credential=k",
            "PUT http://s3/x?X-Amz-Signature=***&X-Amz-Credential=***",
        ),
        ("Authorization: Bearer eyJhbGciOi", "Authorization: Bearer ***"),
        ("token=abcdef", "token=***"),
        ('{"password": "hunter2"}', '{"password": "***"}'),
        ("https://ada:hunter2@example.com/x.git", "https://ada:***@example.com/x.git"),
        ("nothing secret here", "nothing secret here"),
    ],
)
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = kept
    root.setLevel(level)
    structlog.reset_defaults()


def test_logs_are_json_lines_without_secrets(root_logger: logging.Logger) -> None:
    configure_logs("info")
    stream = io.StringIO()
    handler: Any = root_logger.handlers[0]
    handler.setStream(stream)
    secret = ValueError("http://s3/?X-Amz-Signature=abc")
    logging.getLogger("x").error("got %s", "token=abcdef", exc_info=secret)
    logging.getLogger("kopf.objects").info("Handler succeeded")
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)

    assert (found["event"], found["level"], found["logger"]) == ("got token=***", "error", "x")
    assert "X-Amz-Signature=***" in found["exception"]


# Sweep


class Swept:
    """A sweeper that says what it was asked for, and breaks off the first time."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def run(self, *, dry_run: bool = False) -> None:
        assert not dry_run
        await self._ask("everything")

    async def note_deleted(self, uid: str) -> None:
        await self._ask(uid)

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.asked.count(what) == 1:
            raise StorageError("connection refused")


async def test_sweeps_come_every_hour_deletions_are_noted_at_once_and_errors_survived() -> None:
    clock, sweeper = FakeClock(), Swept()
    given: Any = sweeper
    sweeping = Sweeping(given, clock, seconds=3600)
    task = asyncio.create_task(sweeping.run())
    sweeping.app_deleted("uid-1")
    await clock.run_for(1)
    assert sweeper.asked == ["uid-1"]
    await clock.run_for(7300)
    sweeping.app_deleted("uid-1")
    sweeping.app_deleted("uid-2")
    await clock.run_for(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert sweeper.asked == ["uid-1", "everything", "everything", "uid-1", "uid-2"]


async def test_a_deleted_app_is_swept_for() -> None:
    world = Simulation()
    await world.apply(APPS, "hello", {})
    await world.settle()
    gone: list[str] = []
    assert world.operator is not None
    world.operator.app_deleted = gone.append
    app = await world.cluster.get(APPS, "hello", b.NAMESPACE)
    await world.cluster.delete(APPS, "hello", b.NAMESPACE)
    await world.settle()

    assert gone == [app["metadata"]["uid"]]


# Commands


def test_a_wrong_setting_ends_the_program_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIKUBE_WORKERS", "many")
    result = CliRunner().invoke(main, [])

    assert result.exit_code == 2
    assert "HAIKUBE_WORKERS" in result.output
    assert "many" not in result.output


def test_help_names_the_sweep() -> None:
    assert "sweep" in CliRunner().invoke(main, ["--help"]).output
