"""A build ends when its output was read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from haikube.build.ending import let_output_drain


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_it_waits_for_who_reads(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"last\n")
    read = threading.Event()
    ending = threading.Thread(target=lambda: (let_output_drain([writer], 60), read.set()))
    ending.start()

    assert not read.wait(0.4)
    assert os.read(reader, 100) == b"last\n"
    assert read.wait(30)


def test_it_does_not_wait_for_ever_for_one_who_does_not_read(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"last\n")
    before = time.monotonic()
    let_output_drain([pipe[1]], 0.05)

    assert time.monotonic() - before >= 0.05


def test_a_file_keeps_all_by_itself(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        log.write(b"last\n")
        before = time.monotonic()
        let_output_drain([log.fileno()], 60)

    assert time.monotonic() - before < 60
