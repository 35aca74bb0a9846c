"""The readiness probe of a build: it ends when the engine has left its mark."""

from __future__ import annotations

import subprocess
from pathlib import Path

from terminal import eventually

HANDED_BACK = Path(__file__).parents[2] / "buildpacks" / "launcher" / "handed-back"


def test_it_waits_for_the_mark_and_no_longer(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with subprocess.Popen([HANDED_BACK, mark], env={"PATH": "/nowhere"}) as waiting:
        eventually((tmp_path / "mark.awaited").exists, "it says that it waits")
        assert waiting.poll() is None
        mark.touch()
        assert waiting.wait(60) == 0


def test_the_app_cannot_reach_in(tmp_path: Path) -> None:
    script = tmp_path / "env.sh"
    script.write_text("exit 7\n")
    mark = tmp_path / "mark"
    mark.touch()
    env = {"PATH": "/nowhere", "BASH_ENV": str(script)}
    assert subprocess.run([HANDED_BACK, mark], env=env, check=False).returncode == 0
