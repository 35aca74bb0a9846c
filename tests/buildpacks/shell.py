"""Runs lines of bash in the surroundings of a buildpack's compile, without a stack."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2] / "buildpacks"


class Shell:
    """Runs a line of bash in the surroundings of a buildpack's compile."""

    def __init__(self, place: Path, buildpack: str) -> None:
        self.place = place
        self.buildpack = buildpack
        for name in ("build", "cache", "env", "tmp", "packs"):
            (place / name).mkdir()
        (place / "packs" / "lib").symlink_to(ROOT / "lib")
        (place / "packs" / buildpack / "bin").mkdir(parents=True)
        if (ROOT / buildpack / "lib").is_dir():
            (place / "packs" / buildpack / "lib").symlink_to(ROOT / buildpack / "lib")

    def write(self, files: Mapping[str, str], where: str = "build") -> None:
        for name, text in files.items():
            (self.place / where / name).write_text(text)

    def run(self, line: str, *parts: str, code: int = 0, **env: str) -> str:
        """Return what the line printed, its errors included."""
        script = self.place / "packs" / self.buildpack / "bin" / "script"
        sources = "".join(f'source "$BUILDPACK_DIR/lib/{part}.sh"\n' for part in parts)
        script.write_text(
            'source "$(dirname -- "${BASH_SOURCE[0]}")/../../lib/buildpack.sh"\n'
            f'buildpack_start "$@"\n{sources}{line}\n'
        )
        folders = [self.place / name for name in ("build", "cache", "env")]
        surroundings = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.place / "tmp"),
            "HOME": str(self.place / "home"),
        }
        return said("bash", script, *folders, code=code, env={**surroundings, **env})


def said(*command: str | Path, code: int, env: Mapping[str, str]) -> str:
    """Return what a command printed that ends with ``code``, its errors included."""
    done = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == code, done.stdout
    return done.stdout
