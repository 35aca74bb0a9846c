"""One operator process: it leads, works, and leaves in good order; without the lead it ends."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from kopf._cogs.clients import watching

import builders as b
from haikube.cluster.credentials import Credentials, static_token
from haikube.cluster.errors import Unreachable
from haikube.cluster.fake import Call, FakeCluster
from haikube.engine.worker import Key
from haikube.model.resources import APPS, GATEWAYS, HTTP_ROUTES, LEASES, OWN_KINDS, SECRETS
from haikube.operator import process as module
from haikube.operator.lease import LeaseThread
from haikube.operator.preflight import CUSTOM_RESOURCES, NotReadyToStart
from haikube.operator.process import Process
from haikube.operator.watched import WATCHED
from haikube.storage.memory import MemoryStorage
from stage import settings

NAMESPACE = "haikube-system"
LEASE = "haikube-operator"
PATIENCE = 20.0


class Streams:
    """What the API server would tell, instead of kopf's streams."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster
        self.running = asyncio.Event()
        self.failure: Exception | None = None
        self.fail = asyncio.Event()

    async def infinite_watch(self, *, resource: Any, **_: object) -> AsyncIterator[Any]:
        kind = next(each.resource for each in WATCHED if each.resource.plural == resource.plural)
        listing = await self.cluster.list(kind)
        for item in listing.items:
            yield {"type": None, "object": item}
        yield watching.Bookmark.LISTED
        self.running.set()
        await self.fail.wait()
        assert self.failure is not None
        raise self.failure


@pytest.fixture
async def watches(monkeypatch: pytest.MonkeyPatch, cluster: FakeCluster) -> Streams:
    found = Streams(cluster)
    monkeypatch.setattr(watching, "infinite_watch", found.infinite_watch)
    monkeypatch.setattr(module, "_arm_hard_exit", lambda: None)
    return found


@pytest.fixture
def cluster() -> FakeCluster:
    found = FakeCluster()
    for kind in (*OWN_KINDS, HTTP_ROUTES, GATEWAYS):
        found.seed(CUSTOM_RESOURCES, {"metadata": {"name": f"{kind.plural}.{kind.group}"}})
    return found


@pytest.fixture
def leases() -> FakeCluster:
    return FakeCluster()


def made(
    cluster: FakeCluster, leases: FakeCluster, identity: str = "one", **changes: Any
) -> Process:
    keys = {"storage_access_key": "a", "storage_secret_key": "s", "metrics_port": 0}
    chosen = settings(**{**keys, "identity": identity, "lease_seconds": 3.0, **changes})
    credentials = Credentials("http://x", static_token(""))

    @asynccontextmanager
    async def connect() -> AsyncIterator[FakeCluster]:
        """The lease is kept by another thread, and a fake cluster is for one."""
        yield leases

    return Process(chosen, credentials, cluster, MemoryStorage(), connect)


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


async def test_it_leads_works_and_gives_the_lead_up(
    cluster: FakeCluster, leases: FakeCluster, watches: Streams
) -> None:
    cluster.seed(APPS, b.app())
    process = made(cluster, leases)

    async with running(process):
        await asyncio.wait_for(watches.running.wait(), PATIENCE)
        async with asyncio.timeout(PATIENCE):
            async for event in cluster.watch(SECRETS):
                if event.object["metadata"]["name"] == "hello-config":
                    break
        assert process.ready() == ""
        assert await holder(leases) == "one"
        assert set(process.health.ages()) >= {"App", "Pod", "Secret"}
    assert await holder(leases) == ""


async def test_a_standby_is_ready_and_touches_nothing(
    cluster: FakeCluster, leases: FakeCluster, watches: Streams
) -> None:
    async with running(made(cluster, leases)):
        await asyncio.wait_for(watches.running.wait(), PATIENCE)
        second = made(cluster, leases, "two")
        async with running(second):
            before = len([each for each in cluster.writes if each.resource != LEASES])
            await second.synced.wait()
        assert len([each for each in cluster.writes if each.resource != LEASES]) == before
        assert await holder(leases) == "one"


async def test_a_broken_watch_ends_the_process_with_its_error(
    cluster: FakeCluster, leases: FakeCluster, watches: Streams
) -> None:
    watches.failure = RuntimeError("a watch broke")
    task = asyncio.create_task(made(cluster, leases).run())
    await asyncio.wait_for(watches.running.wait(), PATIENCE)
    watches.fail.set()
    with pytest.raises(RuntimeError, match="a watch broke"):
        await asyncio.wait_for(task, PATIENCE)

    assert await holder(leases) == ""


async def test_without_crds_it_does_not_start(watches: Streams) -> None:
    with pytest.raises(NotReadyToStart, match=r"apps\.haikube\.dev"):
        await made(FakeCluster(), FakeCluster()).run()

    assert not watches.running.is_set()


async def test_losing_the_lead_ends_the_process_at_once(
    cluster: FakeCluster, leases: FakeCluster, watches: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    tell = partial(loop.call_soon_threadsafe, ended.put_nowait)
    monkeypatch.setattr(os, "_exit", tell)

    def fault(call: Call) -> None:
        if call.resource == LEASES:
            raise Unreachable(0, "Unreachable", "cut off")

    process = made(cluster, leases, lease_seconds=0.5)
    async with running(process):
        await asyncio.wait_for(watches.running.wait(), PATIENCE)
        await process.leads.wait()
        leases.fault = fault
        code = await asyncio.wait_for(ended.get(), PATIENCE)
        leases.fault = None

    assert code == 1


def test_the_hard_exit_is_a_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Timer] = []

    def start(timer: threading.Timer) -> None:
        started.append(timer)

    monkeypatch.setattr(threading.Timer, "start", start)
    module._arm_hard_exit()

    assert [(each.daemon, each.interval) for each in started] == [(True, 20.0)]


@pytest.mark.usefixtures("watches")
async def test_a_process_that_lost_the_lead_without_knowing_writes_nothing(
    cluster: FakeCluster, leases: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was frozen, and another one leads: each write asks first."""
    process = made(cluster, leases)
    async with running(process):
        await process.leads.wait()
        monkeypatch.setattr(LeaseThread, "leading", False)
        process.control.store.put(APPS, None, cluster.seed(APPS, b.app()))
        before = len(cluster.writes)
        with pytest.raises(Unreachable, match="not the leader"):
            await process.control.reconcile(Key("App", b.NAMESPACE, "hello"))
        assert len(cluster.writes) == before


async def test_a_long_pass_does_not_cost_the_lead(
    cluster: FakeCluster, leases: FakeCluster, watches: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "_exit", lambda _: None)
    process = made(cluster, leases, lease_seconds=0.6)
    async with running(process):
        await asyncio.wait_for(watches.running.wait(), PATIENCE)
        await process.leads.wait()
        time.sleep(1.5)  # noqa: ASYNC251 - the loop is blocked on purpose
        assert process.lease.leading
        assert await holder(leases) == "one"
