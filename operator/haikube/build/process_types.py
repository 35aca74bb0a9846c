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
from haikube.model.procfile import MAX_BYTES, ProcfileError, parse_procfile

_NONE = "(none)"


@dataclass(frozen=True, slots=True)
class ProcessTypes:
    """What the Procfile declares and what the buildpack adds."""

    declared: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def merged(self) -> Mapping[str, str]:
        """Return the commands by type, declared ones first."""
        added = {name: cmd for name, cmd in self.defaults.items() if name not in self.declared}
        return {**self.declared, **added}

    def require(self) -> None:
        """Refuse a slug that could never run anything."""
        if not self.merged:
            raise BuildFailure(
                Reason.NO_PROCESS_TYPES,
                "The app declares no process type and its buildpack has no default one; "
                "add a file named Procfile with a line such as 'web: python app.py'",
            )


def read_declared(build_dir: Path) -> Mapping[str, str]:
    """Return what the Procfile declares; no Procfile declares nothing."""
    content = read_plain(build_dir / "Procfile", MAX_BYTES)
    try:
        return parse_procfile(content) if content is not None else {}
    except ProcfileError as error:
        raise BuildFailure(Reason.PROCFILE_INVALID, str(error)) from error


def announce(types: ProcessTypes, transcript: Transcript) -> None:
    """Print the process types as Heroku does."""
    added = [name for name in types.merged if name not in types.declared]
    transcript.topic("Discovering process types")
    label = "Procfile declares types    " if added else "Procfile declares types"
    transcript.detail(f"{label} -> {', '.join(types.declared) or _NONE}")
    if added:
        transcript.detail(f"Default types for buildpack -> {', '.join(added)}")
    transcript.line("")
