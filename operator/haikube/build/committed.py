"""What a repository should not hold: packages that were installed for another machine.

They are large, and nothing reads them: the buildpack installs what the lock file names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from haikube.build.transcript import Transcript

_MARK: Final = "pyvenv.cfg"


def warn_of_environments(build_dir: Path, transcript: Transcript) -> None:
    """Name virtual environments of Python that are part of the source."""
    for name in _environments(build_dir):
        transcript.warning(f"The folder {name} is a virtual environment of another machine. It is")
        transcript.warning("not used: packages are installed anew. Remove it from the repository:")
        transcript.warning(f"git rm -r --cached {name} && echo {name}/ >> .gitignore")


def _environments(build_dir: Path) -> Iterator[str]:
    for each in sorted(build_dir.iterdir()):
        if each.is_dir() and not each.is_symlink() and (each / _MARK).is_file():
            yield each.name
