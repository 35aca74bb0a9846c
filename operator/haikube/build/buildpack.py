"""One classic buildpack: its ``bin/detect``, ``bin/compile`` and ``bin/release``.

The scripts are strangers' programs: only their exit codes and bounded output are believed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from haikube.build.child import Completed, Sink, capture, stream
from haikube.build.deadline import Deadline
from haikube.build.failure import BuildFailure, Reason

_SOURCED: Final = 'for file in "${@:5}"; do . "$file"; done; exec "$1" "$2" "$3" "$4"'
_NAME_LENGTH: Final = 100
_SCRIPTS: Final = ("detect", "compile")


@dataclass(frozen=True, slots=True)
class Detection:
    """What ``bin/detect`` answered."""

    name: str | None
    explanation: str


@dataclass(frozen=True, slots=True)
class Buildpack:
    """A buildpack on disk; ``label`` is how the user named it, ``origin`` what that stands for."""

    label: str
    path: Path
    origin: str = ""

    @property
    def announced(self) -> str:
        """Return what the log calls it."""
        return f"{self.label} (here: {self.origin})" if self.origin else self.label

    def check(self) -> None:
        """Refuse a folder that is no buildpack."""
        for script in _SCRIPTS:
            if not os.access(self.path / "bin" / script, os.X_OK):
                raise BuildFailure(
                    Reason.BUILDPACK_INVALID,
                    f"Buildpack {self.label} has no executable bin/{script}; "
                    "a classic buildpack has bin/detect, bin/compile and usually bin/release",
                )

    @property
    def export(self) -> Path:
        """The file that a compile leaves for the buildpacks after it."""
        return self.path / "export"

    def detect(self, build_dir: Path, *, env: Mapping[str, str], deadline: Deadline) -> Detection:
        """Ask whether the buildpack applies; the name is None when it does not."""
        done = self._run("detect", [build_dir], env, deadline)
        text = done.out.decode("utf-8", "replace").strip()
        if done.code:
            told = done.err.decode("utf-8", "replace").strip() or text
            return Detection(None, told)
        first = text.splitlines()[0].strip() if text else self.label
        return Detection(first[:_NAME_LENGTH], "")

    def compile(
        self,
        folders: Sequence[Path],
        exports: Sequence[Path],
        sink: Sink,
        *,
        env: Mapping[str, str],
        deadline: Deadline,
        last_look: Callable[[], None] = lambda: None,
    ) -> int:
        """Run ``bin/compile BUILD_DIR CACHE_DIR ENV_DIR`` after sourcing earlier exports."""
        script = str(self.path / "bin" / "compile")
        argv = ["bash", "-c", _SOURCED, "bash", script, *map(str, folders), *map(str, exports)]
        return stream(
            argv, sink, env=env, cwd=folders[0], deadline=deadline, last_look=last_look
        ).code

    def release(self, build_dir: Path, *, env: Mapping[str, str], deadline: Deadline) -> bytes:
        """Return what ``bin/release`` printed; a buildpack without one releases nothing."""
        if not (self.path / "bin" / "release").is_file():
            return b""
        done = self._run("release", [build_dir], env, deadline)
        if done.code:
            said = done.err.decode("utf-8", "replace").strip()
            raise BuildFailure(
                Reason.RELEASE_SCRIPT_FAILED,
                f"bin/release of buildpack {self.label} exited with {done.code}: {said[:500]}",
            )
        return done.out

    def _run(
        self, script: str, arguments: Sequence[Path], env: Mapping[str, str], deadline: Deadline
    ) -> Completed:
        argv = [str(self.path / "bin" / script), *map(str, arguments)]
        try:
            return capture(argv, env=env, cwd=arguments[0], deadline=deadline)
        except OSError as error:
            raise BuildFailure(
                Reason.BUILDPACK_INVALID,
                f"bin/{script} of buildpack {self.label} cannot be run: {error.strerror}; "
                "check its first line and its mode",
            ) from error
