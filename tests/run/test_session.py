"""A client and a process joined: who ends it, who waits for whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from haikube.cluster.errors import Unreachable
from haikube.run.session import EndOfInput, Said, Session, Size


class Process:
    """The streams of a process that a test plays."""

    exit_code = None

    def __init__(self) -> None:
        self.given: asyncio.Queue[object] = asyncio.Queue()
        self.printed: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.deaf = False

    async def send(self, data: bytes) -> None:
        if self.deaf:
            raise ConnectionResetError
        self.given.put_nowait(data)

    async def end_input(self) -> None:
        self.given.put_nowait("end")

    async def resize(self, columns: int, rows: int) -> None:
        self.given.put_nowait((columns, rows))

    async def output(self) -> AsyncIterator[bytes]:
        while (data := await self.printed.get()) is not None:
            if isinstance(data, Exception):
                raise data
            yield data


class Person:
    def __init__(self) -> None:
        self.words: asyncio.Queue[Said | None] = asyncio.Queue()
        self.seen: list[bytes] = []
        self.reads = asyncio.Event()
        self.reads.set()

    async def said(self) -> AsyncIterator[Said]:
        while (word := await self.words.get()) is not None:
            yield word

    async def show(self, data: bytes) -> None:
        await self.reads.wait()
        self.seen.append(data)


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def person() -> Person:
    return Person()


async def test_all_output_is_shown_before_the_end(process: Process, person: Person) -> None:
    for data in (b"one", b"two", None):
        process.printed.put_nowait(data)
    assert await Session(person, process, tty=True).run() is True
    assert person.seen == [b"one", b"two"]


async def test_who_is_lost_may_be_silent_for_a_while_only(process: Process, person: Person) -> None:
    """The streams of a lost node end when its connections time out, which may take hours."""
    session = Session(person, process, tty=True, is_lost=lambda: True, lost_after=0.05)
    running = asyncio.create_task(session.run())
    for data in (b"still", b"under", b"way"):
        await asyncio.sleep(0.02)
        process.printed.put_nowait(data)
        person.words.put_nowait(b"typed")
    assert await running is False
    assert person.seen == [b"still", b"under", b"way"]


async def test_who_is_there_may_be_silent_for_long(process: Process, person: Person) -> None:
    session = Session(person, process, tty=True, is_lost=lambda: False, lost_after=0.01)
    running = asyncio.create_task(session.run())
    await asyncio.sleep(0.1)
    process.printed.put_nowait(None)
    assert await running is True


async def test_input_sizes_and_its_end_arrive_in_order(process: Process, person: Person) -> None:
    for word in (Size(80, 24), b"ls\n", EndOfInput()):
        person.words.put_nowait(word)
    task = asyncio.create_task(Session(person, process, tty=False).run())
    given = [await process.given.get() for _ in range(3)]
    process.printed.put_nowait(None)
    assert await task is True
    assert given == [(80, 24), b"ls\n", "end"]


async def test_a_client_that_goes_ends_it(process: Process, person: Person) -> None:
    person.words.put_nowait(None)
    assert await Session(person, process, tty=True).run() is False


async def test_silence_on_both_sides_ends_it(process: Process, person: Person) -> None:
    assert await Session(person, process, tty=True, idle=0.02).run() is False


async def test_output_is_a_sign_of_life(process: Process, person: Person) -> None:
    task = asyncio.create_task(Session(person, process, tty=True, idle=0.1).run())
    for _ in range(4):
        await asyncio.sleep(0.05)
        process.printed.put_nowait(b".")
    process.printed.put_nowait(None)
    assert await task is True


async def test_a_process_that_is_cut_off_is_an_error(process: Process, person: Person) -> None:
    process.printed.put_nowait(Unreachable(0, "Unreachable", "the node is gone"))
    with pytest.raises(Unreachable):
        await Session(person, process, tty=True).run()


async def test_input_that_nobody_takes_does_not_end_the_output(
    process: Process, person: Person
) -> None:
    process.deaf = True
    person.words.put_nowait(b"y\n")
    person.words.put_nowait(b"y\n")
    task = asyncio.create_task(Session(person, process, tty=True).run())
    await asyncio.sleep(0.01)
    process.printed.put_nowait(b"last words")
    process.printed.put_nowait(None)
    assert await task is True
    assert person.seen == [b"last words"]


async def test_a_client_that_does_not_read_holds_the_process_up(
    process: Process, person: Person
) -> None:
    person.reads.clear()
    for _ in range(5):
        process.printed.put_nowait(b"x")
    task = asyncio.create_task(Session(person, process, tty=True).run())
    await asyncio.sleep(0.01)
    assert process.printed.qsize() == 4
    task.cancel()
