"""The process types of a slug: the Procfile, then the defaults of the last buildpack.

A Procfile entry beats a default of the same name, as on Heroku.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from haikube.build.failure import BuildFailure, Reason
from haikube.build.plainfile import read_plain
from haikube.build.transcript import Transcript
from haikube.model.procfile import MAX_BYTES, Procfile, ProcfileError, read_procfile

_NONE = "(none)"


@dataclass(frozen=True, slots=True)
class ProcessTypes:
    """What the Procfile declares and what the buildpack adds.

    ``misnamed`` is a file that somebody takes for a Procfile.
    """

    declared: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    misnamed: str = ""

    @property
    def merged(self) -> Mapping[str, str]:
        """Return the commands by type, declared ones first."""
        added = {name: cmd for name, cmd in self.defaults.items() if name not in self.declared}
        return {**self.declared, **added}

    def require(self) -> None:
        """Refuse a slug that could never run anything."""
        if self.merged:
            return
        remedy = "add a file named Procfile with a line such as 'web: python app.py'"
        if self.misnamed:
            remedy = f"{self.misnamed} is not read, rename it: git mv {self.misnamed} Procfile"
        raise BuildFailure(
            Reason.NO_PROCESS_TYPES,
            f"The app declares no process type and its buildpack has no default one; {remedy}",
        )


def check_procfile(build_dir: Path, transcript: Transcript) -> None:
    """Refuse a Procfile before anything is built, and print what its author may not have meant."""
    for remark in _read(build_dir).remarks:
        transcript.warning(remark)


def read_declared(build_dir: Path) -> Mapping[str, str]:
    """Return what the Procfile declares; no Procfile declares nothing."""
    return _read(build_dir).types


def _read(build_dir: Path) -> Procfile:
    content = read_plain(_inside(build_dir), MAX_BYTES)
    try:
        return read_procfile(content) if content is not None else Procfile()
    except ProcfileError as error:
        raise BuildFailure(Reason.PROCFILE_INVALID, str(error)) from error


def _inside(build_dir: Path) -> Path:
    """Return the file itself where the Procfile is a link to one of the app's."""
    path = build_dir / "Procfile"
    try:
        target = path.resolve()
    except (OSError, RuntimeError):
        return path
    return target if target.is_relative_to(build_dir.resolve()) else path


def announce(types: ProcessTypes, transcript: Transcript) -> None:
    """Print the process types as Heroku does."""
    added = [name for name in types.merged if name not in types.declared]
    transcript.topic("Discovering process types")
    label = "Procfile declares types    " if added else "Procfile declares types"
    transcript.detail(f"{label} -> {', '.join(types.declared) or _NONE}")
    if added:
        transcript.detail(f"Default types for buildpack -> {', '.join(added)}")
    transcript.line("")
    if types.misnamed:
        transcript.warning(f"{types.misnamed} is not read: the file must be named Procfile.")
        transcript.warning(f"Rename it: git mv {types.misnamed} Procfile")
        transcript.line("")
