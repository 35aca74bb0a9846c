"""The log of a build: live, afterwards, and again after a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from haikube.cluster.errors import ApiError, Forbidden, NotFound
from haikube.cluster.fake import Call
from haikube.cluster.port import Json
from haikube.logs.builds import ANEW, BuildLogs, Patience
from haikube.model.resources import BUILDS
from haikube.storage.memory import MemoryStorage
from world import NAMESPACE, SharedCluster

NAME = "hello-b-abcdef"
POD = "hello-b-abcdef-pod"


class Stage:
    """One build whose states a test sets."""

    def __init__(self) -> None:
        self.cluster = SharedCluster()
        self.storage = MemoryStorage()
        self.logs = BuildLogs(self.storage, Patience(pulse=0.05, retry=0.01, release=0.2))
        metadata = {"name": NAME, "namespace": NAMESPACE}
        self.cluster.seed(BUILDS, {"metadata": metadata, "spec": {"appRef": {"name": "hello"}}})

    async def status(self, **status: object) -> None:
        body = {"status": status}
        await self.cluster.patch(BUILDS, NAME, NAMESPACE, body, subresource="status")

    def pod(self, *chunks: bytes | None, name: str = POD) -> asyncio.Queue[bytes | None]:
        log = self.cluster.pods.setdefault(name, asyncio.Queue())
        for chunk in chunks:
            log.put_nowait(chunk)
        return log

    def stream(self, offset: int = 0) -> AsyncIterator[bytes]:
        return self.logs.stream(self.cluster, NAMESPACE, NAME, offset=offset)

    async def begun(self, first: bytes, *rest: bytes | None) -> AsyncIterator[bytes]:
        """Return the log of a running build of which the first chunk was read."""
        await self.status(result="Running", podName=POD)
        self.pod(first, *rest)
        stream = self.stream()
        assert await anext(stream) == first
        return stream

    async def read(self, offset: int = 0) -> bytes:
        return b"".join([chunk async for chunk in self.stream(offset)])

    async def finished(self) -> Json:
        return await self.logs.finished(self.cluster, NAMESPACE, NAME)


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_silence_has_a_pulse_until_the_pod_speaks(stage: Stage) -> None:
    stream = stage.stream()
    assert await anext(stream) == b""
    await stage.status(result="Running", podName=POD)
    log = stage.pod()
    log.put_nowait(b"hello\n")
    chunk = b""
    while not chunk:
        chunk = await anext(stream)
    assert chunk == b"hello\n"
    log.put_nowait(None)
    await stage.status(result="Succeeded", podName=POD)
    assert [chunk async for chunk in stream if chunk] == []


async def test_a_finished_build_is_read_from_the_storage(stage: Stage) -> None:
    await stage.storage.put("logs/a/b.log", b"line 1\nline 2\n")
    await stage.status(result="Failed", podName=POD, logKey="logs/a/b.log")
    assert await stage.read() == b"line 1\nline 2\n"
    assert await stage.read(offset=7) == b"line 2\n"
    assert await stage.read(offset=999) == b""


async def test_the_pod_serves_when_the_storage_does_not(stage: Stage) -> None:
    stage.pod(b"from the pod\n", None)
    await stage.status(result="Failed", podName=POD, logKey="logs/a/missing.log")
    assert await stage.read() == b"from the pod\n"


async def test_a_log_that_is_nowhere_is_an_error(stage: Stage) -> None:
    await stage.status(result="Failed", podName=POD, logKey="logs/a/missing.log")
    with pytest.raises(NotFound):
        await stage.read()


async def test_what_the_pod_lost_comes_from_the_storage(stage: Stage) -> None:
    """A reader that joined late, of a pod that is gone, still gets every byte once."""
    await stage.storage.put("logs/a/b.log", b"one\ntwo\n")
    await stage.status(result="Succeeded", logKey="logs/a/b.log")
    assert await stage.read(offset=2) == b"e\ntwo\n"


async def test_the_end_that_a_rotated_log_lost_comes_from_the_storage(stage: Stage) -> None:
    """A kubelet that rotates a fast log ends the stream as if it were complete."""
    stream = await stage.begun(b"begin ", None)
    await stage.storage.put("log", b"begin middle end")
    await stage.status(result="Failed", podName=POD, logKey="log")
    assert b"".join([chunk async for chunk in stream]) == b"middle end"


async def test_a_complete_log_is_not_fetched_again(stage: Stage) -> None:
    stream = await stage.begun(b"all", None)
    await stage.storage.put("log", b"all")
    stage.storage.stream = never  # type: ignore[method-assign]  # must not be called
    await stage.status(result="Succeeded", podName=POD, logKey="log")
    assert b"".join([chunk async for chunk in stream]) == b""


def never(key: str) -> AsyncIterator[bytes]:
    raise AssertionError(f"{key} was fetched")


async def test_the_log_ends_with_the_build_and_not_with_its_pod(stage: Stage) -> None:
    """The kubelet closes the log of an ended pod a second late; the storage has it all."""
    stream = await stage.begun(b"begin ")
    await stage.storage.put("log", b"begin end")
    await stage.status(result="Succeeded", podName=POD, logKey="log")
    assert b"".join([chunk async for chunk in stream]) == b"end"


async def test_a_log_goes_on_although_the_build_is_gone(stage: Stage) -> None:
    stream = await stage.begun(b"begin ")
    log = stage.pod()
    following = asyncio.create_task(anext(stream))
    await stage.cluster.delete(BUILDS, NAME, NAMESPACE)
    done, _ = await asyncio.wait([following], timeout=0.05)
    assert not done
    log.put_nowait(b"end")
    assert await following == b"end"


async def test_a_broken_log_goes_on_where_it_stopped(stage: Stage) -> None:
    """The kubelet goes away after the first line; the second try begins from the start."""
    tries = iter([False, True])

    async def flaky(*place: str, **options: object) -> AsyncIterator[bytes]:
        assert place == (POD, NAMESPACE)
        assert options == {"follow": True}
        yield b"one\n"
        if not next(tries):
            raise ApiError(502, "BadGateway", "the kubelet went away")
        yield b"two\n"
        await stage.status(result="Succeeded", podName=POD)

    stage.cluster.pod_log = flaky  # type: ignore[method-assign] - a fault for this test
    await stage.status(result="Running", podName=POD)
    assert await stage.read() == b"one\ntwo\n"


async def test_another_pod_is_announced_and_heard_from_its_first_byte(stage: Stage) -> None:
    stream = await stage.begun(b"first try", None)
    stage.pod(b"second try\n", None, name="second")
    await stage.storage.put("log", b"second try\n")
    await stage.status(result="Running", podName="second")
    assert await anext(stream) == ANEW
    assert await anext(stream) == b"second try\n"
    await stage.status(result="Succeeded", podName="second", logKey="log")
    assert b"".join([chunk async for chunk in stream]) == b""


async def test_a_pod_on_a_lost_node_is_left_for_another(stage: Stage) -> None:
    stream = await stage.begun(b"first try")  # and never an end
    stage.pod(b"second try\n", None, name="second")
    await stage.status(result="Running", podName="second")
    assert await anext(stream) == ANEW
    assert await anext(stream) == b"second try\n"


async def test_another_pod_that_was_quick_is_read_from_the_storage(stage: Stage) -> None:
    stream = await stage.begun(b"first try")
    await stage.storage.put("log", b"second try\n")
    await stage.status(result="Succeeded", podName="second", logKey="log")
    assert b"".join([chunk async for chunk in stream]) == ANEW + b"second try\n"


async def test_finished_waits_for_the_release(stage: Stage) -> None:
    waiting = asyncio.create_task(stage.finished())
    await stage.status(result="Succeeded")
    done, _ = await asyncio.wait([waiting], timeout=0.05)
    assert not done
    await stage.status(result="Succeeded", release={"name": "hello-v1", "version": 1})
    assert (await waiting)["status"]["release"]["version"] == 1


async def test_finished_does_not_wait_for_a_release_for_ever(stage: Stage) -> None:
    await stage.status(result="Succeeded")
    assert "release" not in (await stage.finished())["status"]


async def test_a_deleted_build_ends_the_wait(stage: Stage) -> None:
    waiting = asyncio.create_task(stage.finished())
    await asyncio.sleep(0)
    await stage.cluster.delete(BUILDS, NAME, NAMESPACE)
    with pytest.raises(NotFound):
        await waiting


async def test_who_may_not_watch_looks_again_and_again(stage: Stage) -> None:
    def fault(call: Call) -> None:
        if call.verb == "watch":
            raise Forbidden(403, "Forbidden", "no watch")

    stage.cluster.fault = fault
    waiting = asyncio.create_task(stage.finished())
    await asyncio.sleep(0)
    await stage.status(result="Failed")
    assert (await waiting)["status"]["result"] == "Failed"
