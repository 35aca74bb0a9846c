"""Compiles that fork without end or leave processes behind, in a process namespace of their own.

How many may run is a resource limit for everybody but root, whom the kernel lets fork for ever: for
root it is a control group.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from build.rig import Engine, Outcome
from haikube.build import processes
from haikube.build.failure import Reason
from haikube.build.processes import (
    counters,
    end_others,
    is_crowded,
    refused_forks,
    too_many_processes,
)
from haikube.local import cgroups

V1 = V2 = "max 7\n"
MOST = 150
PACKAGE = Path(processes.__file__).parents[2]

DRIVER = """
import os, sys
from pathlib import Path
from haikube.build.layout import Layout
from haikube.build.main import main
from haikube.build.processes import end_others

def state(pid):
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"  # it was reaped after the folder was listed

root = Path(sys.argv[1])
code = main(Layout(platform=root / "haikube", scratch=root / "build", home=root / "app",
                   termination=root / "termination-log", alone=True))
states = [state(pid) for pid in os.listdir("/proc") if pid.isdigit()]
(root / "left").write_text(str(sum(state not in "ZX" for state in states)))
sys.exit(code)
"""

BOMB = "bomb() { while :; do bomb & done; }\nbomb"
"""Deaf, in sessions of its own, and the compile itself never ends."""


@pytest.mark.parametrize(("text", "count"), [(V1, 7), ("max 0\n", 0), ("", 0), ("max x\n", 0)])
def test_reads_the_counter(tmp_path: Path, text: str, count: int) -> None:
    counter = tmp_path / "pids.events"
    counter.write_text(text)

    assert refused_forks([tmp_path / "missing", counter]) == count


@pytest.mark.parametrize(
    ("groups", "first"),
    [
        ("8:pids:/kubepods/pod1/x\n4:memory:/else\n0::/\n", "pids/kubepods/pod1/x/pids.events"),
        ("0::/\n", "pids.events"),
        ("0::/kubepods/pod1\n", "kubepods/pod1/pids.events"),
        ("", "pids.events"),
    ],
)
def test_the_own_group_is_asked_first(tmp_path: Path, groups: str, first: str) -> None:
    assert counters(groups, tmp_path)[0] == tmp_path / first
    assert counters(groups, tmp_path)[-1] == tmp_path / "pids" / "pids.events"


def test_no_counter_means_unknown_which_is_none(tmp_path: Path) -> None:
    assert refused_forks([tmp_path / "missing"]) == 0


def test_there_is_room_here() -> None:
    assert not is_crowded()


@pytest.mark.parametrize("alone", [True, False])
def test_other_peoples_processes_are_never_ended(alone: bool) -> None:  # noqa: FBT001 - a row
    """The tests are no container: their parent is not its first process."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as mine:
        assert os.getppid() != 1
        end_others(alone=alone)
        assert mine.poll() is None
        mine.kill()


def test_a_fork_that_is_refused_is_no_fault_of_the_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    engine.buildpack()
    monkeypatch.setattr("haikube.build.child.subprocess.Popen", full)
    done = engine.run({"x": ""})
    assert done.code == 1
    assert done.failure[0] == "TooManyProcesses"


@dataclass
class Confined:
    """An engine that has a pid namespace, and may start only so many processes."""

    engine: Engine
    group: Path | None = None
    left: int = 0

    def run(self, files: Mapping[str, str] | None = None) -> Outcome:
        layout = self.engine.prepare(files or {"x": ""})
        root = layout.platform.parent
        driver = f'{sys.executable} -c "$0" "$1"; exit $?'
        done = subprocess.run(
            [*self._prefix(), "sh", "-c", driver, DRIVER, str(root)],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGE)},
            stdout=subprocess.PIPE,
            check=False,
            timeout=90,
        )
        self.left = int((root / "left").read_text())
        return self.engine.outcome(done.returncode, done.stdout.decode())

    def _prefix(self) -> list[str]:
        own = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]
        if os.geteuid():
            return ["prlimit", f"--nproc={MOST}", "unshare", "--user", "--map-root-user", *own]
        enter = 'echo $$ > "$0"; exec "$@"'
        return ["sh", "-c", enter, str(self.group), "unshare", *own]


@pytest.fixture
def confined(engine: Engine) -> Iterator[Confined]:
    if os.geteuid():
        yield Confined(engine)
        return
    name = f"haikube-test-{os.getpid()}"
    cgroups.create(name)
    try:
        made = [each / "cgroup.procs" for each in cgroups.leftovers(name)]
        limited = [each for each in made if each.with_name("pids.max").exists()]
        assert limited, "root without a control group for processes: run the tests as a user"
        limited[0].with_name("pids.max").write_text(str(MOST))
        yield Confined(engine, limited[0])
    finally:
        assert cgroups.remove(name) == []


@pytest.mark.parametrize("how", ["", "setsid "], ids=["in its group", "in sessions of its own"])
def test_a_fork_bomb_ends_at_the_time_limit_and_is_named(confined: Confined, how: str) -> None:
    inner = BOMB.replace("\n", "; ")
    confined.engine.buildpack(
        compile=f"#!/bin/bash\ntrap '' TERM\n{how}bash -c 'trap \"\" TERM; {inner}'\nwait\n"
        "while :; do sleep 1; done\n"
    )
    confined.engine.limits = {"timeoutSeconds": 2}
    done = confined.run()

    assert done.code == 1
    assert done.failure == (Reason.TOO_MANY_PROCESSES, too_many_processes().message)
    assert " !     The compile started too many processes" in done.log
    assert " !     Push rejected, failed to compile Toy app.\n" in done.log
    assert confined.left == 2  # the shell that stands for the container's first, and the engine


def test_a_bomb_that_was_left_behind_does_not_reach_the_next_buildpack(confined: Confined) -> None:
    inner = BOMB.replace("\n", "; ")
    confined.engine.buildpack(
        "one", compile=f"#!/bin/bash\nsetsid bash -c '{inner}' >/dev/null 2>&1 &\nsleep 1\n"
    )
    confined.engine.buildpack("two", compile="#!/bin/sh\nsleep 1; echo 'two is fine'\n")
    confined.engine.request = {"buildpacks": [{"name": "one"}, {"name": "two"}]}
    done = confined.run()

    assert "two is fine" in done.log
    assert done.code == 0
    assert confined.left == 2


def test_a_compile_that_fails_for_want_of_processes_is_told_so(confined: Confined) -> None:
    confined.engine.buildpack(
        compile="#!/bin/sh\nfor i in $(seq 400); do sleep 60 & done\nexit 1\n"
    )
    done = confined.run()

    assert done.failure[0] == "TooManyProcesses"


def test_a_compile_that_fails_by_itself_is_not_blamed_on_processes(confined: Confined) -> None:
    confined.engine.buildpack(compile="#!/bin/bash\nsleep 60 &\nexit 1\n")

    assert confined.run().failure[0] == "CompileFailed"
