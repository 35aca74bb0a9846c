"""One operator process: it leads, works, and leaves in good order; without the lead it ends."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import kopf
import pytest

import builders as b
from haikube.cluster.credentials import Credentials, static_token
from haikube.cluster.errors import Unreachable
from haikube.cluster.fake import Call, FakeCluster
from haikube.model.resources import APPS, HTTP_ROUTES, LEASES, OWN_KINDS, SECRETS
from haikube.operator import process as module
from haikube.operator.preflight import CUSTOM_RESOURCES, NotReadyToStart
from haikube.operator.process import LEASE, Process
from haikube.storage.memory import MemoryStorage
from stage import settings

NAMESPACE = "haikube-system"
PATIENCE = 20.0


class Watches:
    """What kopf is asked to run, instead of kopf."""

    def __init__(self) -> None:
        self.running = asyncio.Event()
        self.failure: Exception | None = None
        self.fail = asyncio.Event()

    async def operator(self, *, ready_flag: asyncio.Event, **_: object) -> None:
        ready_flag.set()
        self.running.set()
        await self.fail.wait()
        assert self.failure is not None
        raise self.failure


@pytest.fixture
async def watches(monkeypatch: pytest.MonkeyPatch) -> Watches:
    found = Watches()
    monkeypatch.setattr(kopf, "operator", found.operator)
    monkeypatch.setattr(module, "_arm_hard_exit", lambda: None)
    return found


@pytest.fixture
def cluster() -> FakeCluster:
    found = FakeCluster()
    for kind in (*OWN_KINDS, HTTP_ROUTES):
        found.seed(CUSTOM_RESOURCES, {"metadata": {"name": f"{kind.plural}.{kind.group}"}})
    return found


def made(cluster: FakeCluster, identity: str = "one", **changes: Any) -> Process:
    keys = {"storage_access_key": "a", "storage_secret_key": "s", "metrics_port": 0}
    chosen = settings(**{**keys, "identity": identity, "lease_seconds": 3.0, **changes})
    return Process(chosen, Credentials("http://x", static_token("")), cluster, MemoryStorage())


@asynccontextmanager
async def running(process: Process) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(process.run())
    try:
        yield task
    finally:
        process.stopping.set()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), PATIENCE)


async def holder(cluster: FakeCluster) -> str:
    lease = await cluster.get(LEASES, LEASE, NAMESPACE)
    return str(lease["spec"]["holderIdentity"])


async def test_it_leads_works_and_gives_the_lead_up(cluster: FakeCluster, watches: Watches) -> None:
    cluster.seed(APPS, b.app())
    process = made(cluster)

    async with running(process):
        await watches.running.wait()
        async with asyncio.timeout(PATIENCE):
            async for event in cluster.watch(SECRETS):
                if event.object["metadata"]["name"] == "hello-config":
                    break
        assert process.ready() == ""
        assert await holder(cluster) == "one"
        assert set(process.health.ages()) >= {"App", "Pod", "Secret"}
    assert await holder(cluster) == ""


async def test_a_standby_is_ready_and_touches_nothing(
    cluster: FakeCluster, watches: Watches
) -> None:
    async with running(made(cluster)):
        await watches.running.wait()
        second = made(cluster, "two")
        async with running(second):
            before = len([each for each in cluster.writes if each.resource != LEASES])
            await second.synced.wait()
        assert len([each for each in cluster.writes if each.resource != LEASES]) == before
        assert await holder(cluster) == "one"


async def test_a_broken_watch_ends_the_process_with_its_error(
    cluster: FakeCluster, watches: Watches
) -> None:
    watches.failure = RuntimeError("a watch broke")
    task = asyncio.create_task(made(cluster).run())
    await watches.running.wait()
    watches.fail.set()
    with pytest.raises(RuntimeError, match="a watch broke"):
        await asyncio.wait_for(task, PATIENCE)

    assert await holder(cluster) == ""


async def test_without_crds_it_does_not_start(watches: Watches) -> None:
    with pytest.raises(NotReadyToStart, match=r"apps\.haikube\.dev"):
        await made(FakeCluster()).run()

    assert not watches.running.is_set()


async def test_losing_the_lead_ends_the_process_at_once(
    cluster: FakeCluster, watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: asyncio.Queue[int] = asyncio.Queue()
    monkeypatch.setattr(os, "_exit", ended.put_nowait)

    def fault(call: Call) -> None:
        if call.resource == LEASES:
            raise Unreachable(0, "Unreachable", "cut off")

    async with running(made(cluster, lease_seconds=0.5)):
        await watches.running.wait()
        cluster.fault = fault
        code = await asyncio.wait_for(ended.get(), PATIENCE)
        cluster.fault = None

    assert code == 1


def test_the_hard_exit_is_a_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Timer] = []

    def start(timer: threading.Timer) -> None:
        started.append(timer)

    monkeypatch.setattr(threading.Timer, "start", start)
    module._arm_hard_exit()

    assert [(each.daemon, each.interval) for each in started] == [(True, 20.0)]
