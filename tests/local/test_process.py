"""A pid is believed only together with its start time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from haikube.local.process import Process, children


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_recorded_process_is_ended(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    Process.of(sleeper.pid).save(tmp_path / "pid")
    loaded = Process.load(tmp_path / "pid")

    assert loaded is not None
    assert loaded.alive
    assert loaded.kill()
    assert not loaded.alive


def test_a_process_that_got_an_old_pid_is_never_harmed(sleeper: subprocess.Popen[bytes]) -> None:
    former = Process(sleeper.pid, Process.of(sleeper.pid).started - 1)

    assert not former.alive
    assert former.kill()
    assert sleeper.poll() is None


@pytest.mark.parametrize("text", ["", "12", "{}", '{"pid": 1}', "[1, 2]"])
def test_a_damaged_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid").write_text(text)

    assert Process.load(tmp_path / "pid") is None
    assert Process.load(tmp_path / "missing") is None


def test_a_pid_that_does_not_run_is_dead() -> None:
    assert not Process.of(2**22 + 1).alive


def test_children_of_a_process_are_found(sleeper: subprocess.Popen[bytes]) -> None:
    assert sleeper.pid in children(os.getpid())
    assert children(2**22 + 1) == []
