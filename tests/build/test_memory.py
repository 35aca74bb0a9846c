"""The kernel's counter of processes killed for memory, in both versions of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from haikube.build.memory import oom_kills

V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
V2 = "low 0\nhigh 0\nmax 12\noom 4\noom_kill 2\noom_group_kill 0\n"


@pytest.mark.parametrize(("text", "kills"), [(V1, 3), (V2, 2), ("", 0), ("oom_kill x\n", 0)])
def test_reads_the_counter(tmp_path: Path, text: str, kills: int) -> None:
    counter = tmp_path / "counter"
    counter.write_text(text)

    assert oom_kills([tmp_path / "missing", counter]) == kills


def test_no_counter_means_unknown_which_is_none(tmp_path: Path) -> None:
    assert oom_kills([tmp_path / "missing"]) == 0
