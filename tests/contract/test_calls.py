"""Calls on kept connections, against a server that answers byte by byte what a test wants."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contract.widgets import WIDGETS
from haikube.cluster import transport, wire
from haikube.cluster.credentials import Credentials, static_token
from haikube.cluster.errors import Unauthorized, Unreachable
from haikube.cluster.http import HttpCluster
from haikube.cluster.wire import Wire

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}'
HEAD = b"HTTP/1.1 200 OK\r\n"
REQUEST = b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
END = b"end"
"""A server that says this closes the connection."""

NEVER = b"never"
PACKED = gzip.compress(b'{"a":1}', mtime=0)


class Server:
    """Gives one answer after the other; remembers what it was asked on which connection."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[int, bytes]] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.rpartition(b"Content-Length: ")[2])
                self.asked.append((number, head + await reader.readexactly(length)))
                if not await self._answer(writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> bool:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == NEVER:
            await asyncio.Event().wait()
        writer.write(answer.removesuffix(END))
        await writer.drain()
        return not answer.endswith(END)


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[str]:
    """Serve on a free port; yields the address."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()


@asynccontextmanager
async def served(server: Server, place: str = "") -> AsyncIterator[HttpCluster]:
    async with listening(server) as address:
        credentials = Credentials(f"{address}{place}", static_token("t0k3n"))
        async with HttpCluster(credentials, user_agent="tests/1") as cluster:
            yield cluster


async def get(cluster: HttpCluster) -> object:
    return await cluster.get(WIDGETS, "one", "ns")


async def create(cluster: HttpCluster) -> object:
    return await cluster.create(WIDGETS, {"metadata": {"namespace": "ns"}})


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
        HEAD + b'Connection: close\r\n\r\n{"a":1}' + END,
        HEAD + b'\r\n{"a":1}' + END,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED,
    ],
)
async def test_an_answer_may_have_any_shape_that_http_allows(answer: bytes) -> None:
    async with served(Server(answer)) as cluster:
        assert [await get(cluster), await create(cluster)] == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize(
    "answer",
    [
        END,
        b"SSH-2.0-OpenSSH\r\n" + END,
        HEAD + b"Content-Length: 99\r\n\r\n{" + END,
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
async def test_no_answer_or_half_of_one_is_unreachable(answer: bytes) -> None:
    server = Server(answer)
    async with served(server) as cluster:
        with pytest.raises(Unreachable, match="ConnectionError"):
            await create(cluster)

    assert len(server.asked) == 1


async def test_calls_one_after_the_other_share_a_connection() -> None:
    server = Server(OK)
    async with served(server) as cluster:
        for _ in range(3):
            await create(cluster)

    assert server.connections == 1


async def test_calls_at_once_have_connections_of_their_own_up_to_a_limit() -> None:
    server = Server(OK)
    async with listening(server) as address:
        calls = Wire(address, None, None, limit=2)
        await asyncio.gather(*(calls.call(REQUEST, again=False, seconds=5) for _ in range(9)))
        calls.close()

    assert server.connections == 2


async def test_a_connection_that_the_server_gave_up_is_not_used_again() -> None:
    server = Server(OK + END, OK)
    async with served(server) as cluster:
        await get(cluster)
        await asyncio.sleep(0.01)  # its end arrives
        await create(cluster)

    assert [number for number, _ in server.asked] == [1, 2]


async def test_a_read_goes_again_when_its_kept_connection_ends_without_a_word() -> None:
    server = Server(OK, END, OK)
    async with served(server) as cluster:
        await get(cluster)
        assert await get(cluster) == {"a": 1}

    assert [number for number, _ in server.asked] == [1, 1, 2]


async def test_a_write_whose_answer_was_lost_is_not_made_twice() -> None:
    server = Server(OK, END, OK)
    async with served(server) as cluster:
        await create(cluster)
        with pytest.raises(Unreachable):
            await create(cluster)

    assert [number for number, _ in server.asked] == [1, 1]


async def test_what_is_idle_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "IDLE_SECONDS", 0.0)
    server = Server(OK)
    async with served(server) as cluster:
        await create(cluster)
        await create(cluster)

    assert server.connections == 2


async def test_a_call_that_was_given_up_leaves_no_answer_to_the_next_one() -> None:
    server = Server(NEVER, OK)
    async with served(server) as cluster:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await get(cluster)
        assert await get(cluster) == {"a": 1}

    assert [number for number, _ in server.asked] == [1, 2]


@pytest.mark.parametrize("late", [NEVER, HEAD + b"Content-Length: 7\r\n\r\n{"])
async def test_an_answer_that_does_not_come_in_time_is_not_waited_for(
    late: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "REQUEST_SECONDS", 0.05)
    server = Server(late, OK)
    async with served(server) as cluster:
        with pytest.raises(Unreachable, match="TimeoutError from http"):
            await create(cluster)
        assert await create(cluster) == {"a": 1}

    assert [number for number, _ in server.asked] == [1, 2]


@pytest.mark.parametrize("before", [30.0, 0.01])
async def test_each_call_has_its_own_time_whatever_the_one_before_had(before: float) -> None:
    server = Server(OK, NEVER)
    async with listening(server) as address:
        calls = Wire(address, None, None, limit=1)
        await calls.call(REQUEST, again=False, seconds=before)
        with pytest.raises(TimeoutError, match=r"after 0\.05 s"):
            await calls.call(REQUEST, again=False, seconds=0.05)
        calls.close()

    assert server.connections == 1


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    server = Server(OK + OK.replace(b"1}", b"2}"), OK)
    async with served(server) as cluster:
        assert await get(cluster) == {"a": 1}
        assert await get(cluster) == {"a": 1}

    assert server.connections == 2


async def test_a_server_may_be_below_a_path() -> None:
    server = Server(OK)
    async with served(server, "/k8s/clusters/c-1/") as cluster:
        await create(cluster)

    assert server.asked[0][1].startswith(b"POST /k8s/clusters/c-1/apis/")


@pytest.mark.parametrize("token", ["x\r\nImpersonate-User: admin", "x\n", "\x00", "tökén"])
async def test_a_token_cannot_bring_a_header_along(token: str) -> None:
    server = Server(OK)
    async with served(server) as cluster:
        with pytest.raises(Unauthorized):
            await get(cluster.with_token(token))

    assert server.asked == []
