"""The forwarder hands bytes and ends on, in both directions."""

from __future__ import annotations

import asyncio
import functools

from haikube.local.forward import forward, split_address


async def echo_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer only after the client has ended its half."""
    writer.write(await reader.read())
    writer.close()


async def start_forwarder(host: str, port: int) -> asyncio.Server:
    return await asyncio.start_server(functools.partial(forward, host, port), "127.0.0.1", 0)


async def ask(server: asyncio.Server, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_large_answer_arrives_after_the_client_has_ended_its_half() -> None:
    target = await asyncio.start_server(echo_all, "127.0.0.1", 0)
    data = bytes(range(256)) * 4096
    async with target, await start_forwarder(*target.sockets[0].getsockname()) as server:
        assert await ask(server, data) == data


async def test_a_target_that_refuses_closes_the_client() -> None:
    closed = await asyncio.start_server(echo_all, "127.0.0.1", 0)
    host, port = closed.sockets[0].getsockname()
    closed.close()
    await closed.wait_closed()

    async with await start_forwarder(host, port) as server:
        assert await ask(server, b"hello") == b""


def test_addresses_are_split_at_the_last_colon() -> None:
    assert split_address("127.0.0.1:8080") == ("127.0.0.1", 8080)
